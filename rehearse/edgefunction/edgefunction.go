// Package edgefunction runs a CloudFront Function (JavaScript runtime 2.0) on viewer requests or viewer responses. It
// passes the function the same event as CloudFront, and checks the result as strictly.
//
// The package refuses imports (the key value store, the choice of an origin) and require (crypto, querystring). It does
// not define Buffer, atob, btoa, TextEncoder and TextDecoder. It has no limits on memory (2 MB at CloudFront) and compute
// utilisation.
package edgefunction

import (
	"fmt"
	"regexp"
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
)

// maxCode limits the length of a function's code in bytes. AWS does not raise this quota.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-functions
const maxCode = 10 * 1024

// patience limits how long a function may run. CloudFront's limit is about a millisecond of CPU time. This limit is in
// elapsed time, and the machine may be busy.
const patience = 10 * time.Second

// Function is a compiled function. It is safe for concurrent use. Like CloudFront's functions it keeps no state between
// requests.
type Function struct {
	lockdown, program *goja.Program
	patience          time.Duration
}

// Error says why a function has no valid result.
type Error struct {
	// Status is the status that the viewer gets from CloudFront: 503 if the function failed, and 502 if CloudFront refuses
	// its result.
	Status int
	err    error
}

// Error implements error.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap implements errors.Unwrap.
func (e *Error) Unwrap() error { return e.err }

var imports = regexp.MustCompile(`(?m)^\s*import\b.*`)

// New compiles a function. It returns an error for code that CloudFront would refuse or that this package does not
// support.
func New(code string) (*Function, error) {
	if len(code) > maxCode {
		return nil, fmt.Errorf("compile CloudFront Function: its code has %d bytes; CloudFront accepts %d, including comments", len(code), maxCode)
	}
	prepared, err := lockdown(code)
	if err != nil {
		return nil, fmt.Errorf("compile CloudFront Function: %w", err)
	}
	// The value of the program is the handler, however it is declared.
	code += "\n;typeof handler === 'function' ? handler : undefined;"
	program, err := parser.ParseFile(nil, "function.js", code, 0, parser.WithDisableSourceMaps)
	if found := imports.FindString(code); err != nil && found != "" { // The engine does not support imports, either.
		return nil, fmt.Errorf("compile CloudFront Function: %q: the rehearsal does not support imports", found)
	}
	if err != nil {
		return nil, fmt.Errorf("compile CloudFront Function: %w", err)
	}
	if err := checkSyntax(program); err != nil {
		return nil, fmt.Errorf("compile CloudFront Function: %w", err)
	}
	// AWS documents that functions always run in strict mode.
	compiled, err := goja.CompileAST(program, true)
	if err != nil {
		return nil, fmt.Errorf("compile CloudFront Function: %w", err)
	}
	return &Function{prepared, compiled, patience}, nil
}
