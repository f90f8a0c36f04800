// Package viewerresponse holds the CloudFront Function that lets browsers keep the files of a Site that
// never change, and nothing else that is sent in their place.
package viewerresponse

import (
	_ "embed"
	"encoding/json"
)

//go:embed viewerresponse.js
var source string

// Code returns the function's code, which sends files with a Cache-Control header such as
// "public, max-age=31536000, immutable". CloudFront Functions know no environment variables, so that
// it is the code's first line.
func Code(cacheControl string) string {
	// Never fails: a string.
	line, _ := json.Marshal(cacheControl)
	return "const cacheControl = " + string(line) + ";\n" + source
}
