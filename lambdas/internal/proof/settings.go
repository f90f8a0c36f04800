package proof

import (
	"net/netip"
	"net/url"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/environment"
)

// Settings are the owner's choices. They are the same for every call of one function.
type Settings struct {
	// Site is the origin of the blog's address, such as "https://example.com"; "" if
	// nobody looks.
	Site string
	// At is the loopback address that answers in its place, over plain HTTP; "" for none.
	At string
}

// ReadSettings reads the settings from the function's environment.
func ReadSettings(env *environment.Reader) Settings {
	s := Settings{Site: env.Getenv(contract.EnvVerify), At: env.Getenv(contract.EnvVerifyAt)}
	if site, err := url.Parse(s.Site); s.Site != "" && (err != nil || site.Host == "" || s.Site != "https://"+site.Host) {
		env.Refuse(contract.EnvVerify, "the address of a site without a path, such as https://example.com")
	}
	// Nobody must be able to make the function trust an answer without TLS.
	if at, err := netip.ParseAddrPort(s.At); s.At != "" && (err != nil || !at.Addr().IsLoopback()) {
		env.Refuse(contract.EnvVerifyAt, "a loopback address with a port, such as 127.0.0.1:8080")
	}
	return s
}
