// Package viewerrequest has the CloudFront Function that each request of a Site passes first. It
// gives each page one address, as Hugo makes them, and the blog one host name.
package viewerrequest

import (
	_ "embed"
	"encoding/json"
)

// The values of Settings.MissingSlash.
const (
	Redirect = "redirect"
	Rewrite  = "rewrite"
)

// Settings say in what the function of one Site differs from that of another.
type Settings struct {
	// Domain is where requests for RedirectFrom are redirected to, such as "blog.example.com".
	// Required with RedirectFrom.
	Domain string `json:"domain"`
	// RedirectFrom are the host names that lead to Domain, in lower case. Default: none.
	RedirectFrom []string `json:"redirectFrom"`
	// MissingSlash says how "/posts/hello" is answered: [Redirect] leads to "/posts/hello/", and
	// [Rewrite] serves the page at both addresses. Default: Redirect.
	MissingSlash string `json:"missingSlash"`
}

//go:embed viewerrequest.js
var source string

// Code returns the function's code for one Site. CloudFront Functions have no environment variables,
// so the settings are the code's first line, and the patterns of files' names the next two. The
// settings must be valid.
func Code(settings Settings) string {
	if settings.MissingSlash == "" {
		settings.MissingSlash = Redirect
	}
	if settings.RedirectFrom == nil {
		settings.RedirectFrom = []string{}
	}
	// Marshal never fails for strings. It escapes "<", ">", "&", U+2028 and U+2029, so that no name
	// can end the line or the literal.
	line, _ := json.Marshal(settings)
	return "const settings = " + string(line) + ";\n" +
		"const fileType = /" + fileTypePattern + "/i;\nconst fileName = /" + fileNamePattern + "/;\n" + source
}
