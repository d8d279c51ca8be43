package jose

import "math/big"

// rocaPrimes are the first odd primes; a weak modulus is a power of 65537 modulo each.
var rocaPrimes = [...]int64{
	3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71,
	73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
}

// weakROCA reports whether n was made by the generator of CVE-2017-15361, whose primes
// are k*M + (65537^a mod M) with M a product of small primes; such keys can be factored.
// A good modulus looks like one with a probability of about 2^-27.
func weakROCA(n *big.Int) bool {
	rest := new(big.Int)
	for _, p := range rocaPrimes {
		want := rest.Mod(n, big.NewInt(p)).Int64()
		if !powerOf65537(want, p) {
			return false
		}
	}
	return true
}

func powerOf65537(want, p int64) bool {
	x := int64(1)
	for range p {
		if x == want {
			return true
		}
		x = x * 65537 % p
	}
	return false
}
