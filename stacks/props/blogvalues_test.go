package props_test

import (
	"strings"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// withSource returns a change of the source of Full, which names its account and region.
func withSource[S props.Source](source S, set func(*S, string)) func(*props.Blog, string) {
	return func(b *props.Blog, value string) {
		changed := source
		set(&changed, value)
		*b = fixtures.Full
		b.Source = changed
	}
}

var (
	branch = withSource(props.GitHubConnection{Owner: "kzmorita", Repo: "blog", ConnectionARN: fixtures.ConnectionARN},
		func(s *props.GitHubConnection, v string) { s.Branch = v })
	pathFilter = withSource(props.GitHubConnection{Owner: "kzmorita", Repo: "blog", ConnectionARN: fixtures.ConnectionARN},
		func(s *props.GitHubConnection, v string) { s.Trigger.Paths = []string{v} })
	branchFilter = withSource(props.GitHubConnection{Owner: "kzmorita", Repo: "blog", ConnectionARN: fixtures.ConnectionARN},
		func(s *props.GitHubConnection, v string) { s.Trigger.Branches = []string{v} })
	tagFilter = withSource(props.GitHubConnection{Owner: "kzmorita", Repo: "blog", ConnectionARN: fixtures.ConnectionARN},
		func(s *props.GitHubConnection, v string) { s.Trigger.Tags = []string{v} })
	bySecret = props.GitHubToken{Owner: "kzmorita", Repo: "blog", SecretName: "github"}
)

// blogValues has, for each field, values that AWS accepts and values that it does not.
var blogValues = []values[props.Blog]{
	{"Name", func(b *props.Blog, v string) { b.Name = v }, []string{"b", "Blog-2-", "xn-blog", "sthree", "amzn-s3-blog", "blog-s3alias", "blog--x-s3"}, map[string]string{
		"xn--blog": "S3 reserves such names", "XN--blog": "S3 reserves such names", "sthree-blog": "S3 reserves", "amzn-s3-demo-blog": "S3 reserves",
		"a.b": "at most 100", "2blog": "must start with a letter", "blög": "at most 100",
	}},
	{"Region", func(b *props.Blog, v string) { *b = fixtures.Modern; b.Region = v }, append([]string{"me-west-1", "ap-southeast-7"}, "us-east-1", ""), map[string]string{
		"us-east-3": "must be a region of AWS", "us-east-1a": "must be a region", "US-EAST-1": "must be a region", "eu-west-9": "must be a region",
		"aws-global": "must be a region", "cn-north-1": "commercial regions", "us-gov-west-1": "commercial regions", "eusc-de-east-1": "commercial regions",
		"ca-west-1": "CodeBuild projects",
	}},
	{"Account", func(b *props.Blog, v string) { *b = fixtures.Modern; b.Account = v }, []string{"", "000123456789"}, map[string]string{
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
		"/content/**": "without / or ./: content/**", "./content/**": "./: content/**", "./.github/**": "./: .github/**", "/": "./: **",
		"content/": "for everything in it: content/**", "a//b": "has //", "../x": ". or ..", "a/./b": ". or ..", "..": ". or ..", ".": ". or ..",
		"content/** ": "space at its start or end", " content/**": "space at its start or end", "!README.md": "use IgnorePaths for what does not count",
		"content/**,static/**": "has several patterns in one", "{a,b}/*,c/*": "has several patterns in one", "^content/.*": "is a regular expression", `.*\.md$`: "is a regular expression",
		`content\posts\**`: "write / between folders", `content\`: "write / between folders", "a{b,c": "without the one that closes it", "[a": "without the one that closes it",
		"a\nb": "one line of text", "a\x00": "one line of text", "a\xff": "one line of text", "": "1 to 255 characters", strings.Repeat("a", 256): "1 to 255 characters",
	}},
	{"Source.Trigger.Branches[0]", branchFilter, []string{"main", "feature/**", "*", "release-[0-9]*", "{main,next}", "a@{b,c}", "v1.?", "日本語"}, map[string]string{
		"refs/heads/main": "must be the name alone: main", "refs/heads/feature/*": "alone: feature/*", "refs/x": "alone: x",
		"my branch": "git accepts in no name", "^main$": "git accepts in no name", "a..b": "git accepts in no name", "/main": "git accepts in no name", "HEAD": "git accepts in no name",
		"feature/": "for all names that start with it: feature/**", "main ": "space at its start or end", "!main": "starts with !", "feature/*,release/*": "has several patterns in one", "x.lock": "git accepts in no name",
	}},
	{"Source.Trigger.Tags[0]", tagFilter, []string{"v*", "v[0-9].*", "2026-*/**"}, map[string]string{
		"refs/tags/v*": "must be the name alone: v*", "v 1": "git accepts in no name", "v*\t": "one line of text",
	}},
	{"Source.ConnectionARN", withSource(props.GitHubConnection{Owner: "kzmorita", Repo: "blog"}, func(s *props.GitHubConnection, v string) { s.ConnectionARN = v }), []string{
		fixtures.ConnectionARN, // of another region than full
		"arn:aws:codeconnections:us-east-1:999999999999:connection/" + fixtures.UUID, // shared by another account
		"arn:aws:codestar-connections:eu-west-1:" + fixtures.Account + ":connection/" + fixtures.UUID,
	}, map[string]string{
		"arn:aws:codestar-connections:us-east-1:999999999999:connection/" + fixtures.UUID:            "must be in the blog's Account, 123456789012",
		"arn:aws:codeconnections:us-east-9:" + fixtures.Account + ":connection/" + fixtures.UUID:     "must be a connection's ARN",
		"arn:aws-cn:codeconnections:cn-north-1:" + fixtures.Account + ":connection/" + fixtures.UUID: "must be a connection's ARN",
		"arn:aws:codeconnections:us-east-1:" + fixtures.Account + ":host/x":                          "must be a connection's ARN",
	}},
	{"Source.SecretName", withSource(bySecret, func(s *props.GitHubToken, v string) { s.SecretName = v }), []string{
		"github", "prod/github", "a+b=c@d.e_f-g/h", strings.Repeat("s", 512), "arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:github-AbCdEf",
		"arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:github", "arn:aws:secretsmanager:ap-northeast-1:999999999999:secret:github-AbCdEf",
		"my-secret", "arn:aws:secretsmanager:ap-northeast-1:999999999999:secret:github-secret",
	}, map[string]string{
		"my secret": "must be a secret's name or ARN", "github:token": "must be a secret's name", strings.Repeat("s", 513): "must be a secret's name",
		"arn:aws:secretsmanager:us-east-1:" + fixtures.Account + ":secret:github-AbCdEf":              "must be in the blog's Region, ap-northeast-1",
		"arn:aws:secretsmanager:ap-northeast-1:999999999999:secret:github":                            "must be in the blog's Account, 123456789012",
		"arn:aws:secretsmanager:us-east-1:999999999999:secret:github-AbCdEf":                          "must be in the blog's Region, ap-northeast-1",
		"arn:aws:ssm:ap-northeast-1:" + fixtures.Account + ":parameter/github":                        "must be a secret's name or ARN",
		"arn:aws:secretsmanager:ap-northeast-7:" + fixtures.Account + ":secret:github-AbCdEf":         "must be a secret's name or ARN",
		"arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:github-secret":         "write the secret's name alone",
		"arn:aws:secretsmanager:ap-northeast-1:" + fixtures.Account + ":secret:github-AbCdEf:token::": "write the name of a field into SecretField",
	}},
	{"Source.SecretVersion", withSource(bySecret, func(s *props.GitHubToken, v string) { s.SecretVersion = v }), []string{"", fixtures.UUID, strings.Repeat("a", 32), strings.Repeat("a", 64)}, map[string]string{
		"AWSCURRENT": "must be a version's id, of 32 to 64 characters", "2": "must be a version's id", strings.Repeat("a", 31): "32 to 64", strings.Repeat("a", 65): "32 to 64",
	}},
	{"Source.ParameterName", withSource(props.GitHubToken{Owner: "kzmorita", Repo: "blog"}, func(s *props.GitHubToken, v string) { s.ParameterName = v }), []string{
		"github", "/blog/github-oauth-token", "/a.b_c/D", "/blog/aws", "/" + strings.Repeat("p", 961), strings.Repeat("/p", 15),
	}, map[string]string{
		"/aws/github": "must not start with aws or ssm", "/AWS-token": "must not start with", "ssmToken": "must not start with", "blog/github": "must be a parameter's name",
		"/blog/": "must be a parameter's name", "/blog//x": "must be a parameter's name", "/blog/github:3": "must be a parameter's name", "/bl og": "must be a parameter's name",
		"/" + strings.Repeat("p", 962): "the Parameter Store allows 961 here", strings.Repeat("/p", 16): "has 16 parts, and the Parameter Store allows 15",
		"arn:aws:ssm:ap-northeast-1:" + fixtures.Account + ":parameter/x": "must be a parameter's name",
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
		fixtures.Account + ".dkr.ecr.us-east-1.amazonaws.com/hugo:1": "must be public", fixtures.Account + ".dkr-ecr.us-east-1.on.aws/hugo:1": "must be public",
	}},
	{"Build.AssetScript", func(b *props.Blog, v string) { b.Build = props.Build{AssetScript: v} }, []string{"", "build:css", props.NoAssetScript, "日本語"}, map[string]string{
		"build --minify": "must be the name of one of package.json's scripts", "-x": "must be the name", "a\x00b": "must be text in UTF-8", "\xff": "must be text in UTF-8",
	}},
	{"Build.AfterHugo", func(b *props.Blog, v string) { b.Build = props.Build{AfterHugo: v} }, []string{"", "npx pagefind --site public", "a\nb"}, map[string]string{
		" ": "must be a shell command", "a\x00b": "must be text in UTF-8", "\xff": "must be text in UTF-8",
	}},
	// The recipe needs one of CodeBuild's images.
	{"Build.Image", func(b *props.Blog, v string) { b.Build = props.Build{Image: v} }, []string{"", "aws/codebuild/standard:7.0"}, map[string]string{
		"https://public.ecr.aws/x": "must be an image of CodeBuild's", "node:24": "must be one of CodeBuild's images, on which the recipe",
	}},
	{"Build.Environment", func(b *props.Blog, v string) { b.Build.Environment = map[string]string{"X": v} }, []string{"", "a\nb", "日本語", strings.Repeat("x", 10000), "AIza0123456789abcdefghijABCDEFGHIJ_-xyz"}, map[string]string{
		"a\x00b": `Build.Environment["X"] is "a\x00b": must be text in UTF-8`, "\xff": "must be text in UTF-8",
	}},
	{"Deploy.Bucket", func(b *props.Blog, v string) { b.Deploy.Bucket = v }, []string{
		"abc", "kzmorita-blog", "www.example.dev", "a.b", "xn-blog", "sthreeblog", "s3alias", "blog-ol-s3", "blog.s3.dev", "my--x-s3-blog", strings.Repeat("b", 63), "amzn-s3-demo-bucket", "s3.example.dev", "1.2.3",
		"blog-123456789012-ap-northeast-1-an",
	}, map[string]string{
		"b-log.s3.amazonaws.com": `the name in it is "b-log"`, "b-log.s3.us-west-2.amazonaws.com": `the name in it is "b-log"`, "b-log.s3-us-west-2.amazonaws.com": `the name in it is "b-log"`,
		"b-log.s3-website-us-east-1.amazonaws.com": `the name in it is "b-log"`, "b-log.s3-website.eu-central-1.amazonaws.com": `the name in it is "b-log"`,
		"my.s3.blog.s3.amazonaws.com": `the name in it is "my.s3.blog"`, "http://b-log.s3-website-us-east-1.amazonaws.com/": `the name in it is "b-log"`,
		"b-log.s3.dualstack.us-east-1.amazonaws.com": `the name in it is "b-log"`, "b-log.s3-accelerate.amazonaws.com": `the name in it is "b-log"`, "s3.amazonaws.com": "an address of S3",
		"s3://b-log": `the name in it is "b-log"`, "s3://b-log/ja/": `the name in it is "b-log"`, "https://s3.eu-west-1.amazonaws.com/b-log/x": `the name in it is "b-log"`, "arn:aws:s3:::b-log": `the name in it is "b-log"`,
		"b-log/": `the name in it is "b-log"`, "b-log/ja": `the name in it is "b-log"`,
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
		"Cache-Control: public": "the value without the header's name", "cache-control=public": "without the header's name", "max_age=10": `has "max_age=10", which is not a directive`,
		"maxage=10": "not a directive", "public; max-age=10": "separate directives by commas", "max-age": "write max-age=3600", "max-age=": "write max-age=3600", "max-age=-1": "write max-age=3600",
		"max-age=1h": "write max-age=3600", `max-age="10"`: "write max-age=3600", "max-age = 10": "not a directive", "public=1": "no-store without", "no-cache=X": "no-store without",
		" ": "plain ASCII", ",": "plain ASCII", `"`: "without another one that closes it", `private="X`: "without another one that closes it", "公開": "plain ASCII", "public\n": "plain ASCII", "public, private": "both public and private", "max-age=1, max-age=2": "both max-age=1 and max-age=2",
		"no-store, max-age=60": "both no-store and max-age=60", "immutable, no-store": "both no-store and immutable", "no-store, s-maxage=09": "both no-store and s-maxage=09",
		strings.Repeat("public,", 143): "has 1001 characters, and CodePipeline allows 1000", "#{a.b}": "start of a variable", "86400": "not a directive", "expires=10": "not a directive",
	}},
	{"Deploy.EncryptionKeyARN", func(b *props.Blog, v string) { b.Deploy.EncryptionKeyARN = v }, []string{
		"", "arn:aws:kms:ap-northeast-1:" + fixtures.Account + ":key/mrk-0123456789abcdef0123456789abcdef", "arn:aws:kms:ap-northeast-1:999999999999:key/" + fixtures.UUID,
	}, map[string]string{
		"arn:aws:kms:us-east-1:" + fixtures.Account + ":key/" + fixtures.UUID: "must be in the blog's Region", "arn:aws:kms:ap-northeast-1:" + fixtures.Account + ":alias/blog": "must be a KMS key's ARN", fixtures.UUID: "must be a KMS key's ARN",
	}},
	{"Invalidate.DistributionID", func(b *props.Blog, v string) { b.Invalidate.DistributionID = v }, []string{"E2QWRUHAPOMQZL", "EDFDVBD632BHDS5"}, map[string]string{
		"e2qwruhapomqzl": "must be a distribution's id", "arn:aws:cloudfront::" + fixtures.Account + ":distribution/E2QWRUHAPOMQZL": "must be a distribution's id", "E2QWRUHAPOMQZL ": "must be a distribution's id",
	}},
	{"Invalidate.RoleARN", func(b *props.Blog, v string) { b.Invalidate.RoleARN = v }, []string{
		"", fixtures.RoleARN, "arn:aws:iam::" + fixtures.Account + ":role/" + strings.Repeat("r", 64), "arn:aws:iam::" + fixtures.EdgeAccount + ":role/a/b.c/r+=,.@-_", "arn:aws:iam::" + fixtures.EdgeAccount + ":role/" + strings.Repeat("p", 510) + "/r",
	}, map[string]string{
		"arn:aws:sts::" + fixtures.EdgeAccount + ":assumed-role/clear-cache/session": "must be a role's ARN", "clear-cache": "must be a role's ARN", fixtures.EdgeAccount: "must be a role's ARN", "arn:aws:iam::" + fixtures.EdgeAccount + ":root": "must be a role's ARN",
		"arn:aws:iam::" + fixtures.EdgeAccount + ":role/*": "must be a role's ARN", "arn:aws:iam::" + fixtures.EdgeAccount + ":role/${aws:username}/r": "must be a role's ARN", "arn:aws:iam::" + fixtures.EdgeAccount + ":role/": "must be a role's ARN",
		"arn:aws-cn:iam::" + fixtures.EdgeAccount + ":role/r": "must be a role's ARN", "arn:aws:iam::" + fixtures.EdgeAccount + ":user/r": "must be a role's ARN", fixtures.RoleARN + " ": "must be a role's ARN",
		"arn:aws:iam::" + fixtures.EdgeAccount + ":role/" + strings.Repeat("r", 65): "must be a role's ARN", "arn:aws:iam::" + fixtures.EdgeAccount + ":role/" + strings.Repeat("p", 511) + "/r": "must be a role's ARN", "arn:aws:iam:us-east-1:" + fixtures.EdgeAccount + ":role/r": "must be a role's ARN",
	}},
	{"Notifications.Emails", func(b *props.Blog, v string) { b.Notifications.Emails = strings.Fields("you@blog.dev " + v) }, []string{
		"me@blog.dev", "me+aws@blog.dev", "m.e@a.b.co.jp", "o'me=x/y@blog.dev", "Me@Blog.DEV", "me@xn--vckk7bxa.xn--q9jyb4c", strings.Repeat("m", 64) + "@blog.dev",
	}, map[string]string{
		"me": "must be an e-mail address", "me@localhost": "must be an e-mail address", "me@192.0.2.1": "must be", "me@[192.0.2.1]": "must be", "mé@blog.dev": "must be", "me@ブログ.dev": "must be",
		"me.@blog.dev": "must be", "me@blog.dev.": "must be", `"me"@blog.dev`: "must be", "mailto:me@blog.dev": "must be", "me@my_blog.dev": "must be", "a@b.dev,c@d.dev": "must be",
		"YOU@blog.dev": "is listed twice", "you@BLOG.dev": "is listed twice", strings.Repeat("m", 65) + "@blog.dev": "must be", "@blog.dev": "must be", "me@": "must be",
	}},
	{"Notifications.TopicARN", func(b *props.Blog, v string) { b.Notifications.TopicARN = v }, []string{"", "arn:aws:sns:ap-northeast-1:" + fixtures.Account + ":" + strings.Repeat("t", 256)}, map[string]string{
		"arn:aws:sns:ap-northeast-1:" + fixtures.Account + ":alerts.fifo": "must be a standard SNS topic's ARN", "arn:aws:sqs:ap-northeast-1:" + fixtures.Account + ":alerts": "must be a standard SNS topic's ARN",
		"arn:aws:sns:ap-northeast-1:" + fixtures.Account + ":alerts:" + fixtures.UUID: "must be a standard SNS topic's ARN", "arn:aws-cn:sns:cn-north-1:" + fixtures.Account + ":alerts": "must be a standard",
		"arn:aws:sns:us-east-1:" + fixtures.Account + ":alerts": "must be in the blog's Region", "arn:aws:sns:ap-northeast-1:999999999999:alerts": "must be in the blog's Account",
	}},
}
