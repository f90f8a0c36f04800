package readers

import (
	"net/url"
	"slices"
	"testing"
)

func TestAssetsAreWhatABrowserLoadsWithAPage(t *testing.T) {
	for _, tt := range []struct {
		name, page string
		want       []string
	}{
		{"scripts", `<script src="/a.js"></script><script>load("/no.js")</script><script type=module src=b.mjs></script>`, []string{"/a.js", "/posts/b.mjs"}},
		{"links", `<link rel=stylesheet href=/a.css><link rel="shortcut icon" href="/favicon.ico"><link rel=preload as=image href="/a.png" imagesrcset="/a.png 1x, /b.png 2x"><link rel=canonical href="/no/"><link rel=alternate href="/no.xml">`, []string{"/a.css", "/favicon.ico", "/a.png", "/b.png"}},
		{"media", `<img src=a.png><video poster=b.jpg src=c.mp4><track src=d.vtt></video><audio src=e.mp3></audio><source src=f.webm><object data=g.svg></object><embed src=h.pdf><input type=image src=i.gif><iframe src=j/>`, []string{"/posts/a.png", "/posts/c.mp4", "/posts/b.jpg", "/posts/d.vtt", "/posts/e.mp3", "/posts/f.webm", "/posts/g.svg", "/posts/h.pdf", "/posts/i.gif", "/posts/j/"}},
		{"sets of sources", `<img srcset="/a.png, /b,c.png 2x,/d.png 100w 50h , /e.png">`, []string{"/a.png", "/b,c.png", "/d.png", "/e.png"}},
		{"a set whose addresses have no description", "<img srcset='/a.png,\n/b.png,'>", []string{"/a.png", "/b.png"}},
		{"styles", `<style>@import "/a.css"; /* url(/no.png) */ a { background: url(b.png) } @font-face { src: url( "c d.woff2" ) format('woff2'), URL('/e.woff') }</style><p style="background-image:url(/f.png)">`, []string{"/a.css", "/posts/b.png", "/posts/c%20d.woff2", "/e.woff", "/f.png"}},
		{"text that is no style", `<p>url(/no.png)</p><style></style>url(/no.png)`, nil},
		{"what is not of http", `<img src="data:image/png;base64,AAAA"><a href="/no/">x</a><img src="#x"><style>a { background: url(data:image/png;base64,AA) } b { mask: url(#m) }</style>`, nil},
		{"another base", `<base href="/en/"><img src=a.png><img src=a.png>`, []string{"/en/a.png"}},
		{"another site", `<img src="https://other.example/a.png"><img src="//other.example/b.png#c">`, []string{"https://other.example/a.png", "https://other.example/b.png"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base, err := url.Parse("https://blog.example/posts/")
			if err != nil {
				t.Fatal(err)
			}
			var got, want []string
			for _, a := range assetsOf([]byte(tt.page), base) {
				got = append(got, a.String())
			}
			for _, w := range tt.want {
				if w[0] == '/' {
					w = "https://blog.example" + w
				}
				want = append(want, w)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
