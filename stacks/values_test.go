package stacks

import (
	"blog-deploy-pipeline/stacks/props"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// values are what a field takes, and beside it what it does not, with a part of the one
// error that says so.
type values[T any] struct {
	field string
	set   func(*T, string)
	good  []string
	bad   map[string]string
}

// withSource returns a change of the source of full, whose account and region are known.
func withSource[S props.Source](source S, set func(*S, string)) func(*props.Blog, string) {
	return func(b *props.Blog, value string) {
		changed := source
		set(&changed, value)
		*b = full
		b.Source = changed
	}
}

var (
	branch = withSource(props.GitHubConnection{Owner: "kzmorita", Repo: "blog", ConnectionARN: connectionARN},
		func(s *props.GitHubConnection, v string) { s.Branch = v })
	pathFilter = withSource(props.GitHubConnection{Owner: "kzmorita", Repo: "blog", ConnectionARN: connectionARN},
		func(s *props.GitHubConnection, v string) { s.Trigger.Paths = []string{v} })
	branchFilter = withSource(props.GitHubConnection{Owner: "kzmorita", Repo: "blog", ConnectionARN: connectionARN},
		func(s *props.GitHubConnection, v string) { s.Trigger.Branches = []string{v} })
	tagFilter = withSource(props.GitHubConnection{Owner: "kzmorita", Repo: "blog", ConnectionARN: connectionARN},
		func(s *props.GitHubConnection, v string) { s.Trigger.Tags = []string{v} })
	bySecret = props.GitHubToken{Owner: "kzmorita", Repo: "blog", SecretName: "github"}
)

// blogValues go through what AWS takes and what it does not, field by field.
var blogValues = []values[props.Blog]{
	{"Name", func(b *props.Blog, v string) { b.Name = v }, []string{"b", "Blog-2-", "xn-blog", "sthree", "amzn-s3-blog", "blog-s3alias", "blog--x-s3"}, map[string]string{
		"xn--blog": "S3 keeps such names", "XN--blog": "S3 keeps such names", "sthree-blog": "S3 keeps", "amzn-s3-demo-blog": "S3 keeps",
		"a.b": "at most 100", "2blog": "must start with a letter", "blög": "at most 100",
	}},
	{"Region", func(b *props.Blog, v string) { *b = modern; b.Region = v }, append([]string{"me-west-1", "ap-southeast-7"}, "us-east-1", ""), map[string]string{
		"us-east-3": "must be a region that AWS has", "us-east-1a": "must be a region", "US-EAST-1": "must be a region", "eu-west-9": "must be a region",
		"aws-global": "must be a region", "cn-north-1": "commercial regions", "us-gov-west-1": "commercial regions", "eusc-de-east-1": "commercial regions",
		"ca-west-1": "CodeBuild projects",
	}},
	{"Account", func(b *props.Blog, v string) { *b = modern; b.Account = v }, []string{"", "000123456789"}, map[string]string{
		"1234-5678-9012": "must be the 12 digits", "12345678901": "12 digits", "123456789012 ": "12 digits",
	}},
	{"Source.Branch", branch, []string{"main", "feature/a-b_c", "release{1}", "日本語", "@a", "!x", strings.Repeat("b", 255)}, map[string]string{
		"HEAD": "must be a branch's name", "a/b.lock/c": "must be a branch's name", "a/.b": "must be a branch's name", "x.": "must be", "a b": "must be",
		`a\b`: "must be", "feature/*": "must be", "refs/heads/main": "must be", "/main": "must be", "main/": "must be", "a@{b": "must be", "#{SourceVariables.BranchName}": "must be",
		strings.Repeat("b", 256): "must be", "a\xff": "must be",
		"0123456789abcdef0123456789abcdef01234567": "is a token or key (hidden)",
	}},
	{"Source.Repo", withSource(bySecret, func(s *props.GitHubToken, v string) { s.Repo = v }), []string{".github", "a.b_c-d", strings.Repeat("r", 100)}, map[string]string{
		"blog.git": "without owner and .git", "blog.GIT": "without owner and .git", ".": "must be a repository's name", "..": "must be a repository's name", "a/b": "must be", "": "must be", strings.Repeat("r", 101): "must be",
	}},
	{"Source.Trigger.Paths[0]", pathFilter, []string{
		"content/**", "**", "**/*.md", "README.md", "a b.md", "日本語/**", "*.{md,html}", "[ab].md", "[!a].md", `\[draft\].md`, `\!important.md`,
		"a,b.md", "*,b.md", "{*.md,*.html}", `**/a\,b/*`, `\^a\$`, "a..b/c", ".github/**", "...", "a}b", `a\\b`, strings.Repeat("あ", 255),
	}, map[string]string{
		"/content/**": "without / or ./, as content/** does", "./content/**": "as content/** does", "./.github/**": "as .github/** does", "/": "as ** does",
		"content/": "for all that is in it: content/**", "a//b": "has //", "../x": ". or ..", "a/./b": ". or ..", "..": ". or ..", ".": ". or ..",
		"content/** ": "space at an end", " content/**": "space at an end", "!README.md": "IgnorePaths has what does not count",
		"content/**,static/**": "has several patterns in one", "{a,b}/*,c/*": "has several patterns in one", "^content/.*": "is a regular expression", `.*\.md$`: "is a regular expression",
		`content\posts\**`: "put / between folders", `content\`: "put / between folders", "a{b,c": "does not close it", "[a": "does not close it",
		"a\nb": "one line of text", "a\x00": "one line of text", "a\xff": "one line of text", "": "1 to 255 characters", strings.Repeat("a", 256): "1 to 255 characters",
	}},
	{"Source.Trigger.Branches[0]", branchFilter, []string{"main", "feature/**", "*", "release-[0-9]*", "{main,next}", "a@{b,c}", "v1.?", "日本語"}, map[string]string{
		"refs/heads/main": "must be the name alone, as main is", "refs/heads/feature/*": "as feature/* is", "refs/x": "as x is",
		"my branch": "git takes in no name", "^main$": "git takes in no name", "a..b": "git takes in no name", "/main": "git takes in no name", "HEAD": "git takes in no name",
		"feature/": "for all that start so: feature/**", "main ": "space at an end", "!main": "starts with !", "feature/*,release/*": "has several patterns in one", "x.lock": "git takes in no name",
	}},
	{"Source.Trigger.Tags[0]", tagFilter, []string{"v*", "v[0-9].*", "2026-*/**"}, map[string]string{
		"refs/tags/v*": "must be the name alone, as v* is", "v 1": "git takes in no name", "v*\t": "one line of text",
	}},
	{"Source.ConnectionARN", withSource(props.GitHubConnection{Owner: "kzmorita", Repo: "blog"}, func(s *props.GitHubConnection, v string) { s.ConnectionARN = v }), []string{
		connectionARN, // of another region than full
		"arn:aws:codeconnections:us-east-1:999999999999:connection/" + uuid, // shared by another account
		"arn:aws:codestar-connections:eu-west-1:" + account + ":connection/" + uuid,
	}, map[string]string{
		"arn:aws:codestar-connections:us-east-1:999999999999:connection/" + uuid:   "must be in the blog's Account, 123456789012",
		"arn:aws:codeconnections:us-east-9:" + account + ":connection/" + uuid:     "must be a connection's ARN",
		"arn:aws-cn:codeconnections:cn-north-1:" + account + ":connection/" + uuid: "must be a connection's ARN",
		"arn:aws:codeconnections:us-east-1:" + account + ":host/x":                 "must be a connection's ARN",
	}},
	{"Source.SecretName", withSource(bySecret, func(s *props.GitHubToken, v string) { s.SecretName = v }), []string{
		"github", "prod/github", "a+b=c@d.e_f-g/h", strings.Repeat("s", 512), "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:github-AbCdEf",
		"arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:github", "arn:aws:secretsmanager:ap-northeast-1:999999999999:secret:github-AbCdEf",
		"my-secret", "arn:aws:secretsmanager:ap-northeast-1:999999999999:secret:github-secret",
	}, map[string]string{
		"my secret": "must be a secret's name or ARN", "github:token": "must be a secret's name", strings.Repeat("s", 513): "must be a secret's name",
		"arn:aws:secretsmanager:us-east-1:" + account + ":secret:github-AbCdEf":              "must be in the blog's Region, ap-northeast-1",
		"arn:aws:secretsmanager:ap-northeast-1:999999999999:secret:github":                   "must be in the blog's Account, 123456789012",
		"arn:aws:secretsmanager:us-east-1:999999999999:secret:github-AbCdEf":                 "must be in the blog's Region, ap-northeast-1",
		"arn:aws:ssm:ap-northeast-1:" + account + ":parameter/github":                        "must be a secret's name or ARN",
		"arn:aws:secretsmanager:ap-northeast-7:" + account + ":secret:github-AbCdEf":         "must be a secret's name or ARN",
		"arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:github-secret":         "write the secret's name alone",
		"arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:github-AbCdEf:token::": "a field of it goes to SecretField",
	}},
	{"Source.SecretVersion", withSource(bySecret, func(s *props.GitHubToken, v string) { s.SecretVersion = v }), []string{"", uuid, strings.Repeat("a", 32), strings.Repeat("a", 64)}, map[string]string{
		"AWSCURRENT": "must be a version's id, of 32 to 64 characters", "2": "must be a version's id", strings.Repeat("a", 31): "32 to 64", strings.Repeat("a", 65): "32 to 64",
	}},
	{"Source.ParameterName", withSource(props.GitHubToken{Owner: "kzmorita", Repo: "blog"}, func(s *props.GitHubToken, v string) { s.ParameterName = v }), []string{
		"github", "/blog/github-oauth-token", "/a.b_c/D", "/blog/aws", "/" + strings.Repeat("p", 961), strings.Repeat("/p", 15),
	}, map[string]string{
		"/aws/github": "must not start with aws or ssm", "/AWS-token": "must not start with", "ssmToken": "must not start with", "blog/github": "must be a parameter's name",
		"/blog/": "must be a parameter's name", "/blog//x": "must be a parameter's name", "/blog/github:3": "must be a parameter's name", "/bl og": "must be a parameter's name",
		"/" + strings.Repeat("p", 962): "the Parameter Store takes 961 here", strings.Repeat("/p", 16): "has 16 parts, and the Parameter Store takes 15",
		"arn:aws:ssm:ap-northeast-1:" + account + ":parameter/x": "must be a parameter's name",
	}},
	{"Build.Buildspec", func(b *props.Blog, v string) { b.Build = props.Build{Buildspec: v} }, []string{"", "buildspec.yml", "ci/build spec.yaml", "..ci/b.yml", "日本語.yml", "buildspec.json"}, map[string]string{
		"buildspec.yml ": "must be the path of a YAML file", " buildspec.yml": "YAML file", `ci\buildspec.yml`: "YAML file", "/buildspec.yml": "YAML file", "./buildspec.yml": "YAML file",
		"build.sh": "YAML file", "buildspec": "YAML file", "ci/": "YAML file", "a\n.yml": "YAML file", "arn:aws:s3:::b/buildspec.yml": "YAML file", "-.yml": "YAML file", "\xff.yml": "YAML file",
	}},
	{"Build.Image", func(b *props.Blog, v string) { b.Build = props.Build{Buildspec: "buildspec.yml", Image: v} }, []string{
		"", "node", "node:24", "docker.io/library/node:24-alpine", "public.ecr.aws/docker/library/node:24", "localhost:5000/a/b_c--d.e",
		"klakegg/hugo@sha256:" + strings.Repeat("0a", 32),
	}, map[string]string{
		"https://public.ecr.aws/docker/library/node:24": "must be an image of CodeBuild's", "docker://node": "must be an image", "ghcr.io/Owner/hugo": "must be an image", "node:": "must be an image", "Node": "must be an image",
		"node:a b": "must be an image", "node@24": "must be an image", "/node": "must be an image", "node/": "must be an image",
		account + ".dkr.ecr.us-east-1.amazonaws.com/hugo:1": "must be public", account + ".dkr-ecr.us-east-1.on.aws/hugo:1": "must be public",
	}},
	{"Build.AssetScript", func(b *props.Blog, v string) { b.Build = props.Build{AssetScript: v} }, []string{"", "build:css", props.NoAssetScript, "日本語"}, map[string]string{
		"build --minify": "must be the name of one of package.json's scripts", "-x": "must be the name", "a\x00b": "must be text in UTF-8", "\xff": "must be text in UTF-8",
	}},
	{"Build.AfterHugo", func(b *props.Blog, v string) { b.Build = props.Build{AfterHugo: v} }, []string{"", "npx pagefind --site public", "a\nb"}, map[string]string{
		" ": "must be a shell command", "a\x00b": "must be text in UTF-8", "\xff": "must be text in UTF-8",
	}},
	// The recipe builds with CodeBuild's images alone.
	{"Build.Image", func(b *props.Blog, v string) { b.Build = props.Build{Image: v} }, []string{"", "aws/codebuild/standard:7.0"}, map[string]string{
		"https://public.ecr.aws/x": "must be an image of CodeBuild's", "node:24": "the recipe needs one of CodeBuild's images",
	}},
	{"Build.Environment", func(b *props.Blog, v string) { b.Build.Environment = map[string]string{"X": v} }, []string{"", "a\nb", "日本語", strings.Repeat("x", 10000), "AIza0123456789abcdefghijABCDEFGHIJ_-xyz"}, map[string]string{
		"a\x00b": `Build.Environment["X"] is "a\x00b": must be text in UTF-8`, "\xff": "must be text in UTF-8",
	}},
	{"Deploy.Bucket", func(b *props.Blog, v string) { b.Deploy.Bucket = v }, []string{
		"abc", "kzmorita-blog", "www.example.dev", "a.b", "xn-blog", "sthreeblog", "s3alias", "blog-ol-s3", "blog.s3.dev", "my--x-s3-blog", strings.Repeat("b", 63), "amzn-s3-demo-bucket", "s3.example.dev", "1.2.3",
		"blog-123456789012-ap-northeast-1-an",
	}, map[string]string{
		"b-log.s3.amazonaws.com": `it is "b-log" here`, "b-log.s3.us-west-2.amazonaws.com": `it is "b-log" here`, "b-log.s3-us-west-2.amazonaws.com": `it is "b-log" here`,
		"b-log.s3-website-us-east-1.amazonaws.com": `it is "b-log" here`, "b-log.s3-website.eu-central-1.amazonaws.com": `it is "b-log" here`,
		"my.s3.blog.s3.amazonaws.com": `it is "my.s3.blog" here`, "http://b-log.s3-website-us-east-1.amazonaws.com/": `it is "b-log" here`,
		"b-log.s3.dualstack.us-east-1.amazonaws.com": `it is "b-log" here`, "b-log.s3-accelerate.amazonaws.com": `it is "b-log" here`, "s3.amazonaws.com": "an address of S3's",
		"s3://b-log": `it is "b-log" here`, "s3://b-log/ja/": `it is "b-log" here`, "https://s3.eu-west-1.amazonaws.com/b-log/x": `it is "b-log" here`, "arn:aws:s3:::b-log": `it is "b-log" here`,
		"b-log/": `it is "b-log" here`, "b-log/ja": `it is "b-log" here`,
		"xn--blog": "must be an ordinary bucket's name", "sthree-blog": "must be an ordinary bucket's", "sthree-configurator": "must be an ordinary", "blog-s3alias": "must be an ordinary",
		"blog--ol-s3": "must be an ordinary", "blog--usw2-az1--x-s3": "must be an ordinary", "blog--table-s3": "must be an ordinary", "blog.mrap": "must be an ordinary",
		"a..b": "3 to 63", "a-.b": "3 to 63", "a.-b": "3 to 63", "-ab": "3 to 63", "ab-": "3 to 63", "a_b": "3 to 63", "Blog": "3 to 63", "192.168.0.1": "3 to 63", "blog ": "3 to 63",
		strings.Repeat("b", 64): "3 to 63", "": "3 to 63",
	}},
	{"Deploy.KeyPrefix", func(b *props.Blog, v string) { b.Deploy.KeyPrefix = v }, []string{"", "ja", "ja/notes", "a.b/..c/d..", "!_.'()-", strings.Repeat("p", 512)}, map[string]string{
		"./ja": "must be a folder", "ja/.": "must be a folder", "ja/./x": "must be a folder", ".": "must be a folder", "..": "must be a folder", "ja/../en": "must be a folder",
		"/ja": "must be a folder", "ja/": "must be a folder", "ja//x": "must be a folder", " ja": "must be a folder", "ja*": "must be a folder", "#{a.b}": "must be a folder",
		"ja\n": "must be a folder", strings.Repeat("p", 513): "at most 512",
	}},
	{"Deploy.CacheControl", func(b *props.Blog, v string) { b.Deploy.CacheControl = v }, []string{
		"", "public, max-age=0, s-maxage=31536000, must-revalidate", "no-cache", "no-cache, no-store, must-revalidate, max-age=0", "Public,Max-Age=10", "max-age=60,max-age=60",
		"public, max-age=31536000, immutable", "max-age=1, stale-while-revalidate=60, stale-if-error=600", `no-cache="Set-Cookie, X", max-age=1`, `private="X-A"`, "private, no-store, no-transform",
		"must-understand, no-store", " public ,, max-age=1,", "proxy-revalidate, s-maxage=1", strings.Repeat("public,", 142), "no-store, s-maxage=0",
	}, map[string]string{
		"Cache-Control: public": "what stands after the header's name", "cache-control=public": "after the header's name", "max_age=10": `has "max_age=10", which is none of the directives`,
		"maxage=10": "none of the directives", "public; max-age=10": "none of the directives, by commas", "max-age": "write max-age=3600", "max-age=": "write max-age=3600", "max-age=-1": "write max-age=3600",
		"max-age=1h": "write max-age=3600", `max-age="10"`: "write max-age=3600", "max-age = 10": "none of the directives", "public=1": "no-store without", "no-cache=X": "no-store without",
		" ": "plain ASCII", ",": "plain ASCII", `"`: "not closed", `private="X`: "not closed", "公開": "plain ASCII", "public\n": "plain ASCII", "public, private": "both public and private", "max-age=1, max-age=2": "both max-age=1 and max-age=2",
		"no-store, max-age=60": "both no-store and max-age=60", "immutable, no-store": "both no-store and immutable", "no-store, s-maxage=09": "both no-store and s-maxage=09",
		strings.Repeat("public,", 143): "has 1001 characters, and CodePipeline takes 1000", "#{a.b}": "start of a variable", "86400": "none of the directives", "expires=10": "none of the directives",
	}},
	{"Deploy.EncryptionKeyARN", func(b *props.Blog, v string) { b.Deploy.EncryptionKeyARN = v }, []string{
		"", "arn:aws:kms:ap-northeast-1:" + account + ":key/mrk-0123456789abcdef0123456789abcdef", "arn:aws:kms:ap-northeast-1:999999999999:key/" + uuid,
	}, map[string]string{
		"arn:aws:kms:us-east-1:" + account + ":key/" + uuid: "must be in the blog's Region", "arn:aws:kms:ap-northeast-1:" + account + ":alias/blog": "must be a KMS key's ARN", uuid: "must be a KMS key's ARN",
	}},
	{"Invalidate.DistributionID", func(b *props.Blog, v string) { b.Invalidate.DistributionID = v }, []string{"E2QWRUHAPOMQZL", "EDFDVBD632BHDS5"}, map[string]string{
		"e2qwruhapomqzl": "must be a distribution's id", "arn:aws:cloudfront::" + account + ":distribution/E2QWRUHAPOMQZL": "must be a distribution's id", "E2QWRUHAPOMQZL ": "must be a distribution's id",
	}},
	{"Invalidate.RoleARN", func(b *props.Blog, v string) { b.Invalidate.RoleARN = v }, []string{
		"", roleARN, "arn:aws:iam::" + account + ":role/" + strings.Repeat("r", 64), "arn:aws:iam::" + edgeAccount + ":role/a/b.c/r+=,.@-_", "arn:aws:iam::" + edgeAccount + ":role/" + strings.Repeat("p", 510) + "/r",
	}, map[string]string{
		"arn:aws:sts::" + edgeAccount + ":assumed-role/clear-cache/session": "must be a role's ARN", "clear-cache": "must be a role's ARN", edgeAccount: "must be a role's ARN", "arn:aws:iam::" + edgeAccount + ":root": "must be a role's ARN",
		"arn:aws:iam::" + edgeAccount + ":role/*": "must be a role's ARN", "arn:aws:iam::" + edgeAccount + ":role/${aws:username}/r": "must be a role's ARN", "arn:aws:iam::" + edgeAccount + ":role/": "must be a role's ARN",
		"arn:aws-cn:iam::" + edgeAccount + ":role/r": "must be a role's ARN", "arn:aws:iam::" + edgeAccount + ":user/r": "must be a role's ARN", roleARN + " ": "must be a role's ARN",
		"arn:aws:iam::" + edgeAccount + ":role/" + strings.Repeat("r", 65): "must be a role's ARN", "arn:aws:iam::" + edgeAccount + ":role/" + strings.Repeat("p", 511) + "/r": "must be a role's ARN", "arn:aws:iam:us-east-1:" + edgeAccount + ":role/r": "must be a role's ARN",
	}},
	{"Notifications.Emails", func(b *props.Blog, v string) { b.Notifications.Emails = strings.Fields("you@blog.dev " + v) }, []string{
		"me@blog.dev", "me+aws@blog.dev", "m.e@a.b.co.jp", "o'me=x/y@blog.dev", "Me@Blog.DEV", "me@xn--vckk7bxa.xn--q9jyb4c", strings.Repeat("m", 64) + "@blog.dev",
	}, map[string]string{
		"me": "must be an e-mail address", "me@localhost": "must be an e-mail address", "me@192.0.2.1": "must be", "me@[192.0.2.1]": "must be", "mé@blog.dev": "must be", "me@ブログ.dev": "must be",
		"me.@blog.dev": "must be", "me@blog.dev.": "must be", `"me"@blog.dev`: "must be", "mailto:me@blog.dev": "must be", "me@my_blog.dev": "must be", "a@b.dev,c@d.dev": "must be",
		"YOU@blog.dev": "is there twice", "you@BLOG.dev": "is there twice", strings.Repeat("m", 65) + "@blog.dev": "must be", "@blog.dev": "must be", "me@": "must be",
	}},
	{"Notifications.TopicARN", func(b *props.Blog, v string) { b.Notifications.TopicARN = v }, []string{"", "arn:aws:sns:ap-northeast-1:" + account + ":" + strings.Repeat("t", 256)}, map[string]string{
		"arn:aws:sns:ap-northeast-1:" + account + ":alerts.fifo": "must be a standard SNS topic's ARN", "arn:aws:sqs:ap-northeast-1:" + account + ":alerts": "must be a standard SNS topic's ARN",
		"arn:aws:sns:ap-northeast-1:" + account + ":alerts:" + uuid: "must be a standard SNS topic's ARN", "arn:aws-cn:sns:cn-north-1:" + account + ":alerts": "must be a standard",
		"arn:aws:sns:us-east-1:" + account + ":alerts": "must be in the blog's Region", "arn:aws:sns:ap-northeast-1:999999999999:alerts": "must be in the blog's Account",
	}},
}

// setSite returns a change of the Site of complete.
func setSite(set func(*props.Site, string)) func(*props.Blog, string) {
	return func(b *props.Blog, value string) {
		at2 := *complete.Site
		set(&at2, value)
		b.Site = &at2
	}
}

// siteValues are those of a Site.
var siteValues = []values[props.Blog]{
	{"Name", func(b *props.Blog, v string) { b.Name = v }, []string{"Blog", strings.Repeat("b", 100)}, map[string]string{"xn--blog": "S3 keeps such names", strings.Repeat("b", 101): "at most 100"}},
	{"Site.Domain", setSite(func(s *props.Site, v string) {
		s.Domain, s.RedirectFrom, s.HostedZone = v, nil, props.HostedZone{}
	}), []string{
		"kzmorita.dev", "a.b.c.kzmorita.dev", "1.kzmorita.dev", "xn--vckk7bxa.xn--q9jyb4c", "my-cloudfront.net", "cloudfront.net.dev", strings.Repeat("a", 63) + ".dev", "a--b.dev",
	}, map[string]string{
		"d111111abcdef8.cloudfront.net": "is Amazon's", "b.s3.amazonaws.com": "is Amazon's", "x.elasticbeanstalk.com": "is Amazon's", "cloudfront.net": "is Amazon's",
		"blog.kzmorita.dev.": "must be a name in DNS", "*.kzmorita.dev": "must be a name", "my_blog.dev": "must be a name", "kzmorita.dev/": "must be a name", "KZMORITA.dev": "must be a name",
		"blog.local": "is not in the public DNS", "blog.home.arpa": "is not in the public DNS",
		strings.Repeat("a", 64) + ".dev": "must be a name", "192.0.2.1": "must be a name", "ブログ.dev": "must be a name", "localhost": "must be a name", " kzmorita.dev": "must be a name",
	}},
	{"Site.RedirectFrom[0]", setSite(func(s *props.Site, v string) { s.RedirectFrom = []string{v} }), []string{"old.kzmorita.dev"}, map[string]string{
		"complete.kzmorita.dev": "is there twice", "kzmorita.com": "must be in Site.HostedZone", "https://old.kzmorita.dev": "must be a name in DNS",
	}},
	{"Site.HostedZone.ID", setSite(func(s *props.Site, v string) { s.HostedZone.ID = v }), []string{"Z1D633PJN98FT9", "Z" + strings.Repeat("A", 31)}, map[string]string{
		"": "must be a hosted zone's id", "/hostedzone/Z1D633PJN98FT9": "without /hostedzone/", "z1d633pjn98ft9": "must be a hosted zone's id", "Z" + strings.Repeat("A", 32): "must be a hosted zone's id",
	}},
	{"Site.CertificateARN", setSite(func(s *props.Site, v string) { s.CertificateARN = v }), []string{"", siteCertificate}, map[string]string{
		"arn:aws:acm:eu-west-1:" + account + ":certificate/" + uuid: "must be in us-east-1", "arn:aws-us-gov:acm:us-east-1:" + account + ":certificate/" + uuid: "must be a certificate's ARN",
		"arn:aws:acm:us-east-1:999999999999:certificate/" + uuid: "must be in the blog's Account", "arn:aws:acm-pca:us-east-1:" + account + ":certificate-authority/" + uuid: "must be a certificate's ARN",
	}},
	{"Site.WebACLARN", setSite(func(s *props.Site, v string) { s.WebACLARN = v }), []string{"", complete.Site.WebACLARN}, map[string]string{
		"arn:aws:wafv2:us-east-1:" + account + ":regional/webacl/blog/" + uuid: "of scope CLOUDFRONT", "arn:aws:wafv2:ap-northeast-1:" + account + ":regional/webacl/blog/" + uuid: "of scope CLOUDFRONT",
		"arn:aws:wafv2:us-east-1:999999999999:global/webacl/blog/" + uuid: "must be in the blog's Account",
	}},
	{"Site.Headers.ContentSecurityPolicy", setSite(func(s *props.Site, v string) { s.Headers.Frames, s.Headers.ContentSecurityPolicy = "", v }), []string{
		"", "none", "default-src 'self'; img-src 'self' data:", "sandbox", "default-src " + strings.Repeat("x", 1783-12),
	}, map[string]string{
		"default-src " + strings.Repeat("x", 1784-12): "CloudFront takes at most 1783", "default-src 'self'\nimg-src *": "must be one line of plain ASCII", " ": "says nothing",
	}},
	{`Site.Headers.Others["X-A"]`, setSite(func(s *props.Site, v string) { s.Headers.Others = map[string]string{"X-A": v} }), []string{"1", `"a, b"; c=d`, strings.Repeat("x", 1783)}, map[string]string{
		"": "must be one line", "a\r\nX-B: 1": "must be one line", "日本": "plain ASCII", strings.Repeat("x", 1784): "of at most 1783", "a\x00": "must be one line",
	}},
}

// existingValues are those of a service that is there.
var existingValues = []values[props.ExistingService]{
	// It has no bucket.
	{"Name", func(s *props.ExistingService, v string) { s.Name = v }, []string{"xn--shop", "sthree-shop", strings.Repeat("s", 49)}, map[string]string{strings.Repeat("s", 50): "at most 49", "a_b": "at most 49"}},
	// It has no pipeline.
	{"Region", func(s *props.ExistingService, v string) { *s = shop; s.Region = v }, []string{"ca-west-1", "mx-central-1"}, map[string]string{"ca-west-2": "must be a region that AWS has", "cn-north-1": "commercial regions"}},
	{"DeployedBy.Application", func(s *props.ExistingService, v string) {
		by := s.DeployedBy.(props.CodeDeployGroup)
		by.Application = v
		s.DeployedBy = by
	}, []string{"a", "a.b_c+d=e,f@g-h", strings.Repeat("a", 100)}, map[string]string{"": "must be the name", "a b": "must be the name", "a/b": "must be the name", strings.Repeat("a", 101): "must be the name"}},
	{"DeployedBy.Cluster", func(s *props.ExistingService, v string) {
		*s = news
		s.DeployedBy = props.ECSService{Cluster: v, Service: "news"}
	}, []string{"a-b_C", strings.Repeat("a", 255)}, map[string]string{"": "must be a cluster's name", "a.b": "must be a cluster's name", strings.Repeat("a", 256): "must be a cluster's name"}},
	{"Hook.RoleARN", func(s *props.ExistingService, v string) { s.Hook.RoleARN = v }, []string{"", roleARN}, map[string]string{"clear-cache": "must be a role's ARN", "arn:aws:sts::" + edgeAccount + ":assumed-role/clear-cache/s": "must be a role's ARN"}},
	{"Hook.Invalidations[0].Paths[0]", func(s *props.ExistingService, v string) {
		s.Hook.Invalidations = []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL", Paths: []string{v}}}
	}, []string{"/", "/*", "#tag"}, map[string]string{"": "must start with /", "/a b": "URL-encoded", "https://shop.dev/": "must start with /"}},
}

// serviceValues are those of a service that is made.
var serviceValues = []values[props.FargateService]{
	{"Name", func(s *props.FargateService, v string) { s.Name = v }, []string{"internal-api", "aws-api", "a-", strings.Repeat("s", 49)}, map[string]string{"xn--api": "S3 keeps such names", "sthree-api": "S3 keeps such names"}},
	{"Region", func(s *props.FargateService, v string) { *s = api; s.Region = v }, []string{"ap-southeast-7"}, map[string]string{"mx-central-1": "CodeBuild projects", "us-west-3": "must be a region"}},
	{`Container.Secrets["TOKEN"]`, func(s *props.FargateService, v string) { s.Container.Secrets = map[string]string{"TOKEN": v} }, []string{
		"/api/token", "token", "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:api-AbCdEf", "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:rds!db-" + uuid + "-AbCdEf",
		"arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:api-AbCdEf:password::", "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:api-AbCdEf::AWSPREVIOUS:",
		"arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:api-AbCdEf:::" + uuid, "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:api-AbCdEf:パスワード::" + uuid,
		"arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:prod/db-secret:a:AWSCURRENT:", "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:prod/db-1b2c3d",
	}, map[string]string{
		"/aws/x": "must not start with aws or ssm", "api/token": "must be a parameter's name", "/api/token:1": "must be a parameter's name", "/api/token/": "must be a parameter's name", "": "must be a parameter's name",
		"arn:aws:secretsmanager:us-east-1:" + account + ":secret:api-AbCdEf": "must be in the service's Region", "arn:aws:secretsmanager:ap-northeast-1:999999999999:secret:api-AbCdEf": "must be in the service's Account",
		"arn:aws:ssm:ap-northeast-1:" + account + ":parameter/api": "or a secret's full ARN", "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:api": "or a secret's full ARN",
		"arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:api-AbCdEf:password": "or a secret's full ARN", "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:api-AbCdEf:a::2": "or a secret's full ARN",
		"arn:aws:secretsmanager:us-east-1:" + account + ":secret:api-AbCdEf:a::": "must be in the service's Region", "arn:aws:secretsmanager:ap-northeast-1:999999999999:secret:api-AbCdEf:::" + uuid: "must be in the service's Account",
		"arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:api-AbCdEf:a:b:c:d": "or a secret's full ARN", "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:api-AbCdEf:a\n::": "or a secret's full ARN",
		"arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:prod/db-secret": "looks like a part of the secret's ARN", "arn:aws:secretsmanager:ap-northeast-1:" + account + ":secret:prod/db-user01:a::": "looks like a part of the secret's ARN",
	}},
	{"Container.SecretKeyARNs[0]", func(s *props.FargateService, v string) {
		s.Container.Secrets, s.Container.SecretKeyARNs = map[string]string{"A": "/a"}, []string{v}
	}, []string{"arn:aws:kms:ap-northeast-1:" + account + ":key/" + uuid, "arn:aws:kms:ap-northeast-1:999999999999:key/mrk-0123456789abcdef0123456789abcdef"}, map[string]string{
		"": "must be a KMS key's ARN", "alias/aws/ssm": "must be a KMS key's ARN", uuid: "must be a KMS key's ARN", "arn:aws:kms:ap-northeast-1:" + account + ":alias/store": "must be a KMS key's ARN",
		"arn:aws:kms:us-east-1:" + account + ":key/" + uuid: "must be in the service's Region, ap-northeast-1",
	}},
	{"Container.Environment", func(s *props.FargateService, v string) { s.Container.Environment = map[string]string{"X": v} }, []string{"", "a\nb", strings.Repeat("x", 60000)}, map[string]string{
		"a\x00b": "must be text in UTF-8", "\xff": "must be text in UTF-8", strings.Repeat("x", 64000): "bytes of the task definition, as JSON, which has room for 63488",
	}},
	{"Container.Dockerfile", func(s *props.FargateService, v string) { s.Container.Dockerfile = v }, []string{"", "Dockerfile.prod", "a b/Dockerfile"}, map[string]string{
		"Dockerfile ": "must be a path inside", `docker\Dockerfile`: "must be a path inside", "/Dockerfile": "must be a path", "-": "must be a path", "a\nb": "must be a path",
	}},
	{"Container.Context", func(s *props.FargateService, v string) { s.Container.Context = v }, []string{"", ".", "a/b", "a-b"}, map[string]string{
		"-": "must be a folder", "-f": "must be a folder", "a/": "must be a folder", `a\b`: "must be a folder", "..": "must be a folder", " a": "must be a folder",
	}},
	{"Container.InitialImage", func(s *props.FargateService, v string) { s.Container.InitialImage = v }, []string{
		"nginx", "public.ecr.aws/docker/library/httpd:2.4.65", "999999999999.dkr.ecr.eu-west-1.amazonaws.com/a/b_c:1",
	}, map[string]string{
		"https://public.ecr.aws/docker/library/httpd:2.4.65": "must be an image's name", account + ".dkr-ecr.us-east-1.on.aws/x": "must be public", account + ".DKR.ECR.us-east-1.amazonaws.com/x": "must be public",
		strings.Repeat("n", 256): "must be an image's name", "nginx ": "must be an image's name",
	}},
	{"Container.HealthCheckPath", func(s *props.FargateService, v string) { s.Container.HealthCheckPath = v }, []string{"/", "/a?b=c", "/" + strings.Repeat("a", 1023)}, map[string]string{
		"a": "must be a path", "/" + strings.Repeat("a", 1024): "at most 1024", "/é": "must be a path", "http://x/": "must be a path",
	}},
	{"AlarmNames[0]", func(s *props.FargateService, v string) { s.AlarmNames = []string{v} }, []string{"latency", "a b: c/d", "日本語", strings.Repeat("あ", 255), "arn"}, map[string]string{
		"arn:aws:cloudwatch:ap-northeast-1:" + account + ":alarm:latency": "must be the alarm's name alone", "arn:aws:s3:::b": "must be the alarm's name alone", "": "1 to 255 characters", strings.Repeat("a", 256): "1 to 255 characters", "a*": "without *", "\xff": "1 to 255",
	}},
	{"VPC.ID", existingVPC(func(v *props.ExistingVPC, text string) { v.ID = text }), []string{"vpc-01234567", "vpc-0123456789abcdef0"}, map[string]string{"vpc-0123": "must be a VPC's id", "VPC-01234567": "must be a VPC's id", "subnet-01234567": "must be a VPC's id"}},
	{"VPC.AvailabilityZones[1]", existingVPC(func(v *props.ExistingVPC, text string) {
		v.AvailabilityZones = []string{"us-east-1a", text}
	}), []string{"us-east-1f", "us-east-1-bos-1a"}, map[string]string{
		"us-east-1": "must be a zone's name", "us-west-2a": "must be in the same region as the others, us-east-1", "us-east-9a": "must be a zone's name", "use1-az2": "must be a zone's name", "us-east-1a": "is there twice",
	}},
	{"VPC.CIDR", existingVPC(func(v *props.ExistingVPC, text string) { v.CIDR = text }), []string{"10.0.0.0/16", "10.0.0.0/28", "100.64.0.0/16"}, map[string]string{
		"": "must be a range", "0.0.0.0/0": "from 16 to 28 bits", "10.0.0.0/29": "from 16 to 28 bits", "10.0.0.0/8": "from 16 to 28 bits", "10.0.0.1/28": "by its first one",
	}},
	{"VPC.CIDR", func(s *props.FargateService, v string) { s.VPC = props.NewVPC{CIDR: v} }, []string{"", "10.0.0.0/16", "192.168.0.0/24", "172.16.0.0/20"}, map[string]string{
		"10.0.0.0/15": "from 16 to 24 bits", "192.168.0.0/25": "from 16 to 24 bits", "10.0.0.1/16": "by its first one", "172.32.0.0/16": "must be private", "10.0.0.0/16 ": "by its first one", "::/16": "IPv4",
	}},
	{"LoadBalancer.CertificateARN", func(s *props.FargateService, v string) { s.LoadBalancer.CertificateARN = v }, []string{""}, map[string]string{
		siteCertificate: "must be in the service's Region", "arn:aws:iam::" + account + ":server-certificate/x": "must be a certificate's ARN",
	}},
	{"LoadBalancer.OriginPrefixListID", func(s *props.FargateService, v string) { s.LoadBalancer.OriginPrefixListID = v }, []string{"", "pl-0123456789abcdef0"}, map[string]string{"pl-xyz": "must be a prefix list's id"}},
}

func existingVPC(set func(*props.ExistingVPC, string)) func(*props.FargateService, string) {
	return func(s *props.FargateService, value string) {
		vpc := docs.VPC.(props.ExistingVPC)
		set(&vpc, value)
		*s = docs
		s.VPC = vpc
	}
}

func TestValues(t *testing.T) {
	checkValues(t, full, blogValues)
	checkValues(t, complete, siteValues)
	checkValues(t, checkout, existingValues)
	checkValues(t, store, serviceValues)
}

// checkValues sets the fields of base, one at a time.
func checkValues[T interface{ Validate() error }](t *testing.T, base T, all []values[T]) {
	for _, v := range all {
		t.Run(v.field, func(t *testing.T) {
			for _, good := range v.good {
				given := base
				v.set(&given, good)
				if err := given.Validate(); err != nil {
					t.Errorf("%q is refused: %v", good, err)
				}
			}
			for bad, want := range v.bad {
				given := base
				v.set(&given, bad)
				err := given.Validate()
				if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), v.field) {
					t.Errorf("%q: %v, want %s in it, and %q", bad, err, v.field, want)
				} else if strings.Contains(err.Error(), "\n") {
					t.Errorf("%q makes more than one message: %v", bad, err)
				}
			}
		})
	}
}

func TestTriggerThatNeverStarts(t *testing.T) {
	for name, tt := range map[string]struct {
		trigger props.Trigger
		want    string
	}{
		"all ignored":          {props.Trigger{IgnorePaths: []string{"**"}}, `Source.Trigger.IgnorePaths[0] is "**": ignores every change`},
		"wanted and ignored":   {props.Trigger{Paths: []string{"a", "content/**"}, IgnorePaths: []string{"content/**"}}, `Source.Trigger.IgnorePaths[0] is "content/**": is in Paths too`},
		"twice":                {props.Trigger{Branches: []string{"main", "main"}}, `Source.Trigger.Branches[1] is "main": is there twice`},
		"a folder in a folder": {props.Trigger{Paths: []string{"content/**"}, IgnorePaths: []string{"content/drafts/**", "**/*.txt"}}, ""},
	} {
		given := modern
		source := given.Source.(props.GitHubConnection)
		source.Trigger = tt.trigger
		given.Source = source
		if err := given.Validate(); tt.want == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if tt.want != "" {
			wantProblem(t, err, tt.want)
		}
	}
}

func TestWebhooksByRegion(t *testing.T) {
	given := classic
	source := given.Source.(props.GitHubToken)
	given.Region, source.Trigger = "ap-southeast-5", props.TokenTriggerPoll
	if given.Source = source; given.Validate() != nil {
		t.Errorf("polling: %v", given.Validate())
	}
	source.Trigger = ""
	given.Source = source
	wantProblem(t, given.Validate(), `Source.Trigger is "WEBHOOK": must be Poll or NoTrigger in ap-southeast-5`)
}

// A mistake in where the blog is must not be told again with each ARN.
func TestUnknownPlaceIsSaidOnce(t *testing.T) {
	given := full
	given.Region = "us-east-9"
	wantProblem(t, given.Validate(), "Region")
	given = full
	given.Account = "1234"
	wantProblem(t, given.Validate(), "Account")
}

func TestServicesAreValues(t *testing.T) {
	for name, tt := range map[string]struct {
		service props.Service
		want    string
	}{
		"nil":              {nil, "services[1] is nil: remove it"},
		"nil pointer":      {(*props.ExistingService)(nil), "services[1] is a *props.ExistingService: must be a props.ExistingService{…}"},
		"another one":      {(*props.FargateService)(nil), "services[1] is a *props.FargateService"},
		"pointer":          {&shop, "without &"},
		"service in a box": {struct{ props.ExistingService }{shop}, "services[1] is a struct"},
	} {
		t.Run(name, func(t *testing.T) {
			services := []props.Service{news, tt.service}
			wantProblem(t, props.Validate(nil, services), tt.want)
			if _, err := AppSpec(nil, services, "shop"); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("AppSpec: %v, want %q", err, tt.want)
			}
		})
	}
}

// A token pasted anywhere is reported, and never repeated.
func TestNoFieldTakesAToken(t *testing.T) {
	const token = "ghp_0123456789abcdef0123456789abcdef0123"
	blogs := []props.Blog{modern, classic, full, webhook, complete, tokyo}
	services := []props.Service{shop, checkout, news, api, store, docs, search, cheap, inner, shared}
	var all []any
	for _, b := range blogs {
		all = append(all, b)
	}
	for _, s := range services {
		all = append(all, s)
	}
	seen := 0
	for _, given := range all {
		eachText(given, token, func(field string, changed any) {
			seen++
			err := changed.(interface{ Validate() error }).Validate()
			if err == nil || !strings.Contains(err.Error(), "revoke it") {
				t.Errorf("%T's %s takes a token: %v", given, field, err)
			} else if strings.Contains(err.Error(), token[:10]) {
				t.Errorf("%T's %s: the error shows the token: %v", given, field, err)
			} else if n := strings.Count(err.Error(), "revoke it"); n > 1 {
				t.Errorf("%T's %s is reported %d times: %v", given, field, n, err)
			}
		})
	}
	if seen < 150 {
		t.Errorf("only %d fields were tried", seen)
	}
}

// Whatever is in the fields, one or more at a time, Validate says so, and does not panic.
func TestValidateNeverPanics(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, given := range []any{modern, classic, full, webhook, complete, tokyo, props.Blog{}, shop, checkout, news, props.ExistingService{}, api, store, docs, search, cheap, inner, shared, props.FargateService{}} {
		values := 0
		copyOf(reflect.ValueOf(given), func(reflect.Value) { values++ })
		// Each alone, and then a quarter of them at once.
		for n := range 2 * values {
			var changed []string
			at := -1
			odd := copyOf(reflect.ValueOf(given), func(v reflect.Value) {
				if at++; at == n || n >= values && random.IntN(4) == 0 {
					makeOdd(v, random)
					changed = append(changed, fmt.Sprintf("%s %.60q", v.Type(), fmt.Sprint(v.Interface())))
				}
			}).Interface()
			func() {
				defer func() {
					if cause := recover(); cause != nil {
						t.Fatalf("%T with %s: panic: %v", given, strings.Join(changed, ", "), cause)
					}
				}()
				switch odd := odd.(type) {
				case props.Blog:
					_ = props.Validate([]props.Blog{odd, modern}, []props.Service{nil, (*props.FargateService)(nil)})
				case props.Service:
					_ = props.Validate(nil, []props.Service{odd, api})
				}
			}()
		}
	}
}

// oddTexts are what other places take for something else than text.
var oddTexts = []string{
	"", " ", "\x00", "\xff\xfe", "\n", "a\nb", "/", "//", ".", "..", "*", "**", "\\", "[", "{", "}", "!", "@", "#", "#{", "${Token[TOKEN.1]}", "{{resolve:ssm:x}}", "=", ",", `"`, "%", "%zz",
	":", ":::::", "::::::::::", "arn:", "arn:aws:s3:::", "arn:aws:secretsmanager:us-east-1:123456789012:secret:a-AbCdEf:::", "-", "日本語", "https://", "s3://", "a@", "@b", "<>", "refs/heads/",
	strings.Repeat("x", 5000), strings.Repeat("/", 5000), strings.Repeat("a.", 5000), strings.Repeat("{", 5000), strings.Repeat("é", 5000),
}

// makeOdd changes a value into one that hardly anybody would write.
func makeOdd(v reflect.Value, random *rand.Rand) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(oddTexts[random.IntN(len(oddTexts))])
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{-1, 0, 1, math.MaxInt32, math.MaxInt64, math.MinInt64}[random.IntN(6)])
	case reflect.Interface:
		switch v.Interface().(type) {
		case props.Source:
			v.Set(reflect.ValueOf([]props.Source{(*props.GitHubConnection)(nil), &props.GitHubToken{}, props.GitHubToken{}}[random.IntN(3)]))
		case props.VPC:
			v.Set(reflect.ValueOf([]props.VPC{(*props.NewVPC)(nil), &props.ExistingVPC{}, props.ExistingVPC{}}[random.IntN(3)]))
		case props.Deployer:
			v.Set(reflect.ValueOf([]props.Deployer{(*props.ECSService)(nil), &props.CodeDeployGroup{}, props.ECSService{}}[random.IntN(3)]))
		}
	case reflect.Slice:
		if v.Len() == 0 || random.IntN(2) == 0 {
			v.SetZero()
			return
		}
		for range 200 {
			v.Set(reflect.Append(v, v.Index(0)))
		}
	case reflect.Pointer, reflect.Map:
		v.SetZero()
	}
}

// eachText calls then with copies of props, each with one of the texts in it replaced.
func eachText(given any, by string, then func(field string, changed any)) {
	var fields []string
	props.EachString(reflect.ValueOf(given), "", func(field, _ string) { fields = append(fields, field) })
	for i, field := range fields {
		n := -1
		then(field, copyOf(reflect.ValueOf(given), func(v reflect.Value) {
			if v.Kind() != reflect.String {
				return
			}
			if n++; n == i {
				v.SetString(by)
			}
		}).Interface())
	}
}

// copyOf returns a deep copy, and shows each value in it to change, those within before
// those around them, texts in eachString's order.
func copyOf(v reflect.Value, change func(reflect.Value)) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			out.Set(copyOf(v.Elem(), change))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(copyOf(v.Elem(), change))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(copyOf(v.Field(i), change))
		}
		return out
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		}
		for i := range v.Len() {
			out.Index(i).Set(copyOf(v.Index(i), change))
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMap(v.Type()))
		}
		for _, name := range slices.Sorted(maps.Keys(v.Interface().(map[string]string))) {
			key := reflect.ValueOf(name)
			out.SetMapIndex(copyOf(key, change), copyOf(v.MapIndex(key), change))
		}
	}
	change(out)
	return out
}

// What another field is held against must be right itself.
func TestOneMistakeIsSaidOnce(t *testing.T) {
	long := modern
	long.Deploy.KeyPrefix = strings.Repeat("é", 5000)
	wantProblem(t, long.Validate(), `é"… (5000 characters): must be a folder`)
	named := modern
	named.Name = strings.Repeat("x", 700)
	wantProblem(t, named.Validate(), `x"… (700 characters): Name is "x`)
	policy := complete
	setSite(func(s *props.Site, v string) { s.Headers.Frames, s.Headers.ContentSecurityPolicy = "", v })(&policy, strings.Repeat("/", 1500))
	wantProblem(t, policy.Validate(), `/"… (1500 characters) where a directive's name should be`)
	for _, err := range []error{long.Validate(), named.Validate(), policy.Validate()} {
		if n := len(err.Error()); n > 700 {
			t.Errorf("the message has %d characters", n)
		}
	}
	mode := webhook
	mode.ExecutionMode = "PARALLEL"
	wantProblem(t, mode.Validate(), "must be one of")
	frames := complete
	setSite(func(s *props.Site, v string) { s.Headers.Frames = props.Frames(v) })(&frames, "nobody")
	wantProblem(t, frames.Validate(), "must be one of")
	policy = complete
	setSite(func(s *props.Site, v string) { s.Headers.Frames, s.Headers.ContentSecurityPolicy = "", v })(&policy, "ü")
	wantProblem(t, policy.Validate(), "plain ASCII")
	health := api
	health.Container.HealthCheckPath = "healthz"
	wantProblem(t, health.Validate(), "must be a path such as /healthz")
	controller := search
	controller.Controller = "EXTERNAL"
	wantProblem(t, controller.Validate(), "must be one of")
	paths := modern
	paths.Invalidate.Paths = []string{strings.Repeat("x", 1000)}
	wantProblem(t, paths.Validate(), "must start with /")
	clears := shop
	clears.Hook.Invalidations = []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL", Paths: []string{strings.Repeat("x", 5000)}}}
	wantProblem(t, clears.Validate(), "must start with /")
}
