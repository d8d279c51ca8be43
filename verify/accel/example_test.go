package accel_test

import (
	"fmt"
	"log"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/accel"
)

func ExampleNew() {
	fast := accel.New()
	v, err := verify.New("https://id.example.com", "https://orders.example.com", verify.Accelerate(fast))
	if err != nil {
		log.Fatal(err)
	}
	_ = v // go v.Run(ctx), and so on

	if s := fast.Status(); s.Off != "" {
		fmt.Println("not accelerated:", s.Off)
	}
	// Output:
}
