package readers

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestLinksOfAPage(t *testing.T) {
	for _, tt := range []struct {
		name, page string
		want       []string // as they are asked for
	}{
		{"none", "<h1>home</h1>", nil},
		{"each kind", `<link rel=stylesheet href=/a.css><script src="b.js"></script><a href="/c/">c</a><img src='d.png'><area href=/e/><iframe src=/f/></iframe>`,
			[]string{"https://blog.example/a.css", "https://blog.example/en/b.js", "https://blog.example/c/", "https://blog.example/en/d.png", "https://blog.example/e/", "https://blog.example/f/"}},
		{"once", `<a href="/a/">1</a><a href="/a/#x">2</a><A HREF="../a/">3</A>`, []string{"https://blog.example/a/"}},
		{"a query", `<a href="/a/?b=1&amp;c=2">`, []string{"https://blog.example/a/?b=1&c=2"}},
		{"as Hugo writes them", `<a href="/tags/c++/"><a href="/日本/"><a href="/%E7%8C%AB/"><a href="/a b/">`,
			[]string{"https://blog.example/tags/c++/", "https://blog.example/%E6%97%A5%E6%9C%AC/", "https://blog.example/%E7%8C%AB/", "https://blog.example/a%20b/"}},
		{"places in the page, and no addresses", `<a href="#top"><a href=""><a href="mailto:a@b.example"><a href="javascript:void(0)"><img src="data:image/gif;base64,R0l"><a name=x><a href="tel:1">`, nil},
		{"other hosts", `<a href="//other.example/x"><a href="http://blog.example/y">`, []string{"https://other.example/x", "http://blog.example/y"}},
		{"no page's parts", `<link rel="preconnect" href="https://fonts.example"><link rel="dns-prefetch" href="//cdn.example">`, nil},
		{"a base", `<base href="https://blog.example/ja/"><a href="x/">`, []string{"https://blog.example/ja/x/"}},
		{"a comment and a script's text", `<!-- <a href="/no/"> --><script>var a = '<a href="/no/">'</script>`, nil},
		{"line breaks", "<a href=\" /a\n/b/ \">", []string{"https://blog.example/a/b/"}},
		{"no address", `<a href="/%zz/">`, []string{"/%zz/"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := &url.URL{Scheme: "https", Host: "blog.example", Path: "/en/"}
			var got []string
			for _, l := range linksOf([]byte(tt.page), base) {
				got = append(got, l.key())
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAnAliasOnlyRedirects(t *testing.T) {
	for page, want := range map[string]string{
		`<!DOCTYPE html><html lang="en"><head><title>/en/</title><meta http-equiv="refresh" content="0; url=/en/"></head></html>`: "/en/",
		`<meta http-equiv=refresh content="0; url=https://blog.example/a/?b=1;c">`:                                                "https://blog.example/a/?b=1;c",
		`<META HTTP-EQUIV="Refresh" CONTENT="5;URL='/a/'">`:                                                                       "/a/",
		`<meta http-equiv="refresh" content="30">`:                                                                                "",
		`<meta charset="utf-8"><a href="/a/">a</a>`:                                                                               "",
		"": "",
		`<meta http-equiv="refresh" content="0; url=/a/">` + strings.Repeat("text ", 500): "",
	} {
		if got := aliasOf([]byte(page)); got != want {
			t.Errorf("%.100s: got %q, want %q", page, got, want)
		}
	}
}
