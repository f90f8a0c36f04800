// Package viewerrequest holds the CloudFront Function of a Site: one address for each page, as Hugo
// makes them, and one host name for the blog.
package viewerrequest

import (
	_ "embed"
	"encoding/json"
)

// What Settings.MissingSlash may be.
const (
	Redirect = "redirect"
	Rewrite  = "rewrite"
)

// Settings are what differs between two Sites.
type Settings struct {
	// Domain is where requests for RedirectFrom are led to, such as "blog.example.com". Required with
	// RedirectFrom.
	Domain string `json:"domain"`
	// RedirectFrom are the names that lead to Domain, in lower case. Default: none.
	RedirectFrom []string `json:"redirectFrom"`
	// MissingSlash says what "/posts/hello" does: [Redirect] to "/posts/hello/", or [Rewrite], which
	// serves the page at both. Default: Redirect.
	MissingSlash string `json:"missingSlash"`
}

//go:embed viewerrequest.js
var source string

// Code returns the function's code for one Site: CloudFront Functions know no environment variables,
// so that the settings are the code's first line, and the names of files the next two. The names in the
// settings have been validated.
func Code(settings Settings) string {
	if settings.MissingSlash == "" {
		settings.MissingSlash = Redirect
	}
	if settings.RedirectFrom == nil {
		settings.RedirectFrom = []string{}
	}
	// Never fails: strings only. It escapes "<", ">", "&", U+2028 and U+2029, so that no name can end
	// the line or the literal.
	line, _ := json.Marshal(settings)
	return "const settings = " + string(line) + ";\n" +
		"const fileType = /" + fileTypePattern + "/i;\nconst fileName = /" + fileNamePattern + "/;\n" + source
}
