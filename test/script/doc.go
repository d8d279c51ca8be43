// Package script runs transcripts: whole conversations between apps, browsers and a
// provider, in text files that can be read as a specification. The *_test.go files
// beside this one are the reader; the *.txt files are the transcripts.
//
// Each transcript has a provider of its own (world_test.go says who lives there), with a
// clock that only the transcript moves. A line is one of these:
//
//	# text                             what the following lines show
//	GET PATH name=value …              a request; the parameters go into the query
//	POST PATH name=value …             a request; the parameters go into a form
//	send NAME: VALUE                   a header of the next request
//	auth CLIENT                        from now on programs authenticate as the client (Basic)
//	auth CLIENT SECRET                 the same with this secret
//	bearer TOKEN                       from now on programs carry the access token
//	dpop TOKEN                         the same with a token that is bound to a key
//	prove KEY METHOD PATH name=value … the next request has a DPoP proof of the key for this method and
//	                                   path, with these claims; token=TOKEN puts in the token's hash
//	auth none                          from now on programs carry neither
//	browser NAME                       from now on it is this browser; at the beginning "first"
//	login USER                         fills in the login page that the browser was sent to
//	choose | consent | cancel          answers the page that the browser was sent to
//	enter CODE                         types a device's code into the page of codes
//	confirm allow | confirm deny       answers the question whether a device is the person's own
//	press submit                       presses the button of the page that was shown
//	follow                             goes where the last answer sent the browser
//	clock +DURATION                    time passes
//	operator METHOD PATH               administration
//	let NAME = SOURCE                  remembers a value
//	SOURCE == VALUE                    compares; also !=, contains, lacks, is missing, is present
//
// A SOURCE is one of
//
//	code                               the status of the last answer
//	json NAME                          a member of its body
//	body                               its body
//	header NAME                        a header of it
//	redirect                           where it leads, without the query
//	redirect NAME                      a parameter of where it leads
//	claim TOKEN NAME                   a claim of a JWT, unchecked
//	s256 TEXT                          the PKCE challenge of a verifier
//	thumbprint KEY                     that of a key of proofs
//	text VALUE                         the value itself
//
// In values $name stands for what let remembered, and {name} for a table in world_test.go.
// Values with blanks stand in double quotes.
package script
