package readers

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"

	"blog-deploy-pipeline/rehearse/amount"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

const (
	// maxLinks limits the links of the home page that readers follow.
	maxLinks = 200
	// maxHops limits the redirects that readers follow for one link.
	maxHops = 5
	// namedLinks limits the links that a message names.
	namedLinks = 3
)

// followLinks follows the links of the home page as the page writes them. A link to a file that was built, and that
// readers cannot get, fails the rehearsal if the distribution is in the assembly. Of a link to nothing that was built,
// the owner is warned: the page is wrong.
func (s *Site) followLinks(ctx context.Context) error {
	base, err := url.Parse(cmp.Or(s.address, s.url) + (&url.URL{Path: s.front.address()}).EscapedPath())
	if err != nil {
		return fmt.Errorf("follow the links of %s: %w", s.front.address(), err)
	}
	result := &rehearsal.Links{}
	elsewhere := map[string][]string{} // links that should lead to this site, by host
	var hosts, withoutSlash []string
	for _, l := range linksOf(s.front.built, base) {
		host := ""
		if l.to != nil {
			host = l.to.Host
		}
		switch {
		case host == "" || host == base.Host || s.named(l.to.Hostname()) || s.Distribution == nil && !isLoopback(l.to.Hostname()) && s.meant(l):
			result.Found++
			if result.Followed == maxLinks {
				continue
			}
			result.Followed++
			status, err := s.follow(ctx, l.to, host)
			if err != nil {
				return err
			}
			switch built := s.builtFor(l.to); {
			case status == http.StatusOK:
			case s.Distribution == nil && l.withoutSlash(built):
				withoutSlash = append(withoutSlash, l.written)
			default:
				result.Broken = append(result.Broken, rehearsal.BrokenLink{Link: l.written, Status: status, Built: built})
			}
		case isLoopback(l.to.Hostname()) || s.meant(l):
			if elsewhere[host] == nil {
				hosts = append(hosts, host)
			}
			elsewhere[host] = append(elsewhere[host], l.written)
		}
	}
	s.Record.Change(func(r *rehearsal.Result) { r.Links = result })
	for _, host := range hosts {
		s.Record.Warn("the home page has %s to %s, which is not %s: %s; is the build's baseURL right?", amount.Count(len(elsewhere[host]), "link"), host, cmp.Or(s.address, "this site"), some(elsewhere[host]))
	}
	if more := result.Found - result.Followed; more > 0 {
		s.Record.Note("readers followed the first %s of the home page, and left out %s", amount.Count(maxLinks, "link"), amount.Count(more, "other"))
	}
	if len(withoutSlash) > 0 {
		s.Record.Note("the home page has %s to folders without the slash at the end: %s; whether the distribution %s redirects readers from there is not known here", amount.Count(len(withoutSlash), "link"), some(withoutSlash), s.DistributionID)
	}
	return s.broken(result.Broken)
}

// broken fails for, or warns of, links that are broken.
func (s *Site) broken(links []rehearsal.BrokenLink) error {
	var built, notBuilt []string
	for _, l := range links {
		if l.Built != "" {
			built = append(built, l.String())
		} else {
			notBuilt = append(notBuilt, l.String())
		}
	}
	if len(notBuilt) > 0 {
		s.Record.Warn("the home page has %s to what was not built and is not there: %s", amount.Count(len(notBuilt), "link"), some(notBuilt))
	}
	switch {
	case len(built) == 0:
		return nil
	case s.Distribution == nil:
		s.Record.Warn("the home page has %s to what was built, which readers do not get by that address, unless a function of your distribution rewrites it: %s", amount.Count(len(built), "link"), some(built))
		return nil
	}
	return &rehearsal.Failure{
		Code:   "BrokenLinks",
		Reason: "readers do not get what was built, by links of the home page: " + some(built),
		Look:   s.Distribution.Look("the functions") + ", and these links in the home page",
	}
}

// some lists the first of several links, and counts the others.
func some(all []string) string {
	named := strings.Join(all[:min(namedLinks, len(all))], ", ")
	if more := len(all) - namedLinks; more > 0 {
		named += fmt.Sprintf(" and %d more", more)
	}
	return named
}

// frontPage returns the page whose links are followed: the first page or, if that is an alias, the page that it leads
// to. A blog has an alias there if each of its languages has a folder.
func (s *Site) frontPage(build *Build, first string) (front page, err error) {
	front.key = first
	if !build.small(first) {
		return front, nil
	}
	if front.built, err = build.content(first); err != nil {
		return front, err
	}
	here := &url.URL{Path: front.address()}
	to, err := here.Parse(aliasOf(front.built))
	if err != nil {
		return front, nil //nolint:nilerr // It leads nowhere.
	}
	if key := s.builtFor(to); strings.HasSuffix(key, ".html") {
		front.key = key
		front.built, err = build.content(key)
	}
	return front, err
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// meant reports whether a link to another host is meant to lead to this site: the page says so, or a file was built for
// its path. A path such as "/about/" is no proof, since many sites have it.
func (s *Site) meant(l link) bool {
	within := strings.Trim(l.to.Path, "/")
	return l.canonical || within != "" && (l.part || strings.Contains(within, "/")) && s.builtFor(l.to) != ""
}

// builtFor returns the key of the file that was built for an address; "" if there is none.
func (s *Site) builtFor(to *url.URL) string {
	if to == nil {
		return ""
	}
	key := strings.TrimPrefix(to.Path, "/")
	if s.built[key] {
		return key
	}
	if page := path.Join(key, home); s.built[page] {
		return page
	}
	return ""
}

// follow follows an address of the site, and its redirects, and returns the last status; 0 if the address is not valid. A
// redirect to another site is a 200: whether that site answers is not this one's fault.
func (s *Site) follow(ctx context.Context, to *url.URL, host string) (status int, err error) {
	for range maxHops {
		if to == nil {
			return 0, nil
		}
		if _, err := url.Parse(s.url + to.RequestURI()); err != nil {
			return 0, nil //nolint:nilerr // What cannot be asked for is no address.
		}
		got, err := s.get(ctx, to.RequestURI())
		if err != nil {
			return 0, fmt.Errorf("follow the link to %s: %w", to, err)
		}
		status = got.status
		location := got.header.Get("Location")
		if status < http.StatusMultipleChoices || status >= http.StatusBadRequest || location == "" {
			return status, nil
		}
		next, err := to.Parse(location)
		if err != nil {
			return status, nil //nolint:nilerr // The redirect leads nowhere.
		}
		if next.Host != to.Host && next.Host != host && !s.named(next.Hostname()) {
			return http.StatusOK, nil
		}
		to = next
	}
	return status, nil
}
