package pipeline

import (
	"archive/zip"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"blog-deploy-pipeline/rehearse/edgefunction"
)

// checkNames warns of what was built and has an address that the distribution's function, which knows names
// alone, takes for another's: files that it takes for pages, and old addresses, which nobody asks for with a
// slash, that it takes for files. One of each kind of name is tried.
func (r *rehearsal) checkNames(d *Distribution, built map[string]*zip.File) {
	if d == nil {
		return
	}
	var files, aliases []string
	tried := map[*[]string]map[string]bool{&files: {}, &aliases: {}}
	for _, key := range slices.SortedFunc(maps.Keys(built), byLength) {
		address, all := "/"+key, &files
		if folder, name := path.Split(key); name == home {
			if folder == "" || !isAlias(built[key]) {
				continue
			}
			address, all = "/"+strings.TrimSuffix(folder, "/"), &aliases
		}
		kind := kindOf(address)
		if tried[all][kind] {
			continue
		}
		tried[all][kind] = true
		got, err := objectAt(d, address)
		if err != nil {
			return // A function that fails, readers meet.
		}
		if got != key {
			*all = append(*all, address)
		}
	}
	if len(files) > 0 {
		r.warn("readers get nothing at the addresses of files such as %s: by their names the distribution's function takes them for something else (stacks/viewerrequest/names.go has the names that a Site takes for files')", some(files))
	}
	if len(aliases) > 0 {
		r.warn("readers of old addresses (aliases) such as %s get nothing without a slash at the end: by their names the distribution's function takes them for files", some(aliases))
	}
}

// isAlias reports whether a page does nothing but lead to another, as Hugo's aliases do.
func isAlias(page *zip.File) bool {
	if page.UncompressedSize64 > maxAlias {
		return false
	}
	content, err := contentOf(page)
	return err == nil && aliasOf(content) != ""
}

// kindOf is what names have in common that are tried once: an extension or, without any, the name itself.
func kindOf(address string) string {
	name := path.Base(address)
	if strings.Contains(address, "+") { // S3 takes it for a space.
		return "+"
	}
	if extension := path.Ext(name); extension != "" && extension != "." {
		return strings.ToLower(extension)
	}
	return name
}

// objectAt is the object that readers of an address get, after one redirect of the function.
func objectAt(d *Distribution, address string) (key string, err error) {
	for range 2 {
		target := (&url.URL{Path: address}).EscapedPath()
		function := d.Behavior(target).ViewerRequest
		if function == nil {
			return strings.TrimPrefix(address, "/"), nil
		}
		request := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: address}, RequestURI: target}
		if names := d.Names(); len(names) > 0 {
			request.Host = names[0]
		}
		changed, response, err := function.ViewerRequest(request, edgefunction.Context{DistributionID: d.ID, DistributionDomainName: d.DomainName})
		if err != nil {
			return "", err
		}
		if response == nil {
			return url.PathUnescape(strings.ReplaceAll(strings.TrimPrefix(changed.URL.EscapedPath(), "/"), "+", "%20"))
		}
		_ = response.Body.Close() // Where it leads to is in its header.
		next, err := url.Parse(response.Header.Get("Location"))
		if err != nil {
			return "", err
		}
		if next.Path == "" {
			break
		}
		address = next.Path
	}
	return "", nil
}
