package monitoring

import "testing"

func TestHeading(t *testing.T) {
	const rest = "[pipeline](https://eu-west-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/my-blog/view) · `make status BLOG=my-blog`"
	for address, want := range map[string]string{
		"":                                 "# my-blog\n" + rest,
		"https://example.com/notes_(all)/": "# my-blog\n[https://example.com/notes_(all)/](https://example.com/notes_%28all%29/) · " + rest,
	} {
		if got := heading(Props{BlogName: "my-blog", Address: address}, "eu-west-1"); got != want {
			t.Errorf("%q: got\n%s\nwant\n%s", address, got, want)
		}
	}
}
