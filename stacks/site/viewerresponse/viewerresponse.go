// Package viewerresponse has the CloudFront Function that lets browsers keep files of a Site that never
// change. It leaves alone what is sent in place of such a file, such as an error page.
package viewerresponse

import (
	_ "embed"
	"encoding/json"
)

//go:embed viewerresponse.js
var source string

// Code returns the function's code, which gives files a Cache-Control header such as
// "public, max-age=31536000, immutable". CloudFront Functions have no environment variables, so the
// header is the code's first line.
func Code(cacheControl string) string {
	// Marshal never fails for a string.
	line, _ := json.Marshal(cacheControl)
	return "const cacheControl = " + string(line) + ";\n" + source
}
