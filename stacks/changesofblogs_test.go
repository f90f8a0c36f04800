package stacks

import (
	"strings"
	"time"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// changedBlog returns the blog that each change begins with. It has a Site.
func changedBlog() props.Blog {
	return props.Blog{
		Name: "blog", Region: "ap-northeast-1",
		Source: props.GitHubConnection{Owner: "kzmorita", Repo: "blog", ConnectionARN: fixtures.ConnectionARN},
		Site: &props.Site{
			Domain: "blog.kzmorita.dev", RedirectFrom: []string{"www.blog.kzmorita.dev"},
			HostedZone: props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "kzmorita.dev"},
		},
		Notifications: props.Notifications{Emails: []string{"me@blog.dev"}},
	}
}

func blogSource[S props.Source](change func(*S)) func(*props.Blog) {
	return func(b *props.Blog) {
		source := b.Source.(S)
		change(&source)
		b.Source = source
	}
}

func inSite(change func(*props.Site)) func(*props.Blog) {
	return func(b *props.Blog) { change(b.Site) }
}

func blogByToken(b *props.Blog) {
	b.Source = props.GitHubToken{Owner: "kzmorita", Repo: "blog", SecretName: "github"}
}

func blogByParameter(b *props.Blog) {
	b.Source = props.GitHubToken{Owner: "kzmorita", Repo: "blog", ParameterName: "/blog/token"}
}

func withoutSite(b *props.Blog) {
	b.Site, b.Deploy.Bucket, b.Invalidate.DistributionID = nil, "kzmorita-blog", "E2QWRUHAPOMQZL"
}

func byS3Action(b *props.Blog) { b.Deploy.By = props.DeployByS3Action }

func inFolder(b *props.Blog) {
	withoutSite(b)
	b.Deploy.KeyPrefix, b.Invalidate.BasePath = "ja", "/"
}

// headers changes the first of Deploy.Headers.
func headers(change func(*props.FileHeaders)) func(*props.Blog) {
	return func(b *props.Blog) {
		all := make([]props.FileHeaders, 1)
		copy(all, b.Deploy.Headers)
		change(&all[0])
		b.Deploy.Headers = all
	}
}

func withHeaders(b *props.Blog) {
	b.Deploy.Headers = []props.FileHeaders{{Match: "*.pdf", ContentLanguage: "ja"}}
}

func withLogs(b *props.Blog) { b.Site.AccessLogRetentionDays = 30 }

func ownBuildspec(b *props.Blog) { b.Build.Buildspec = "buildspec.yml" }

var blogChanges = []change[props.Blog]{
	{prop: "Blog.Name", effects: map[props.Controller]string{"": "leaves the stack blog-certificate, leaves the stack blog-pipeline, leaves the stack blog-site"}, says: "must not change", after: func(b *props.Blog) { b.Name = "blog2" }},
	{prop: "Blog.Account", effects: map[props.Controller]string{"": "leaves the stack blog-certificate, leaves the stack blog-pipeline, leaves the stack blog-site"}, says: stays, after: func(b *props.Blog) { b.Account = fixtures.Account[:11] + "3" }},
	{prop: "Blog.Region", effects: map[props.Controller]string{"": "leaves the stack blog-pipeline, leaves the stack blog-site"}, says: stays, after: func(b *props.Blog) { b.Region = "eu-west-1" }},
	{prop: "Blog.Source", after: blogByToken},
	{prop: "Blog.Site", effects: map[props.Controller]string{"": "leaves the stack blog-certificate, leaves the stack blog-logs, leaves the stack blog-site"}, says: "its stacks stay in AWS", before: withLogs, after: withoutSite},
	{prop: "Blog.PipelineType", after: func(b *props.Blog) { b.PipelineType = props.PipelineTypeV1 }},
	{prop: "Blog.ExecutionMode", after: func(b *props.Blog) { b.ExecutionMode = props.ExecutionModeQueued }},

	{prop: "GitHubConnection.Owner", after: blogSource(func(s *props.GitHubConnection) { s.Owner = "another" })},
	{prop: "GitHubConnection.Repo", after: blogSource(func(s *props.GitHubConnection) { s.Repo = "blog2" })},
	{prop: "GitHubConnection.Branch", after: blogSource(func(s *props.GitHubConnection) { s.Branch = "trunk" })},
	{prop: "GitHubConnection.ConnectionARN", after: blogSource(func(s *props.GitHubConnection) {
		s.ConnectionARN = strings.Replace(fixtures.ConnectionARN, fixtures.UUID, strings.Replace(fixtures.UUID, "0", "f", 1), 1)
	})},
	{prop: "GitHubConnection.FullClone", after: blogSource(func(s *props.GitHubConnection) { s.FullClone = true })},
	{prop: "Trigger.Branches", after: blogSource(func(s *props.GitHubConnection) { s.Trigger.Branches = []string{"hotfix/*"} })},
	{prop: "Trigger.Paths", after: blogSource(func(s *props.GitHubConnection) { s.Trigger.Paths = []string{"content/**"} })},
	{prop: "Trigger.IgnorePaths", after: blogSource(func(s *props.GitHubConnection) { s.Trigger.IgnorePaths = []string{"docs/**"} })},
	{prop: "Trigger.Tags", after: blogSource(func(s *props.GitHubConnection) { s.Trigger.Tags = []string{"v*"} })},
	{prop: "GitHubToken.Owner", before: blogByToken, after: blogSource(func(s *props.GitHubToken) { s.Owner = "another" })},
	{prop: "GitHubToken.Repo", before: blogByToken, after: blogSource(func(s *props.GitHubToken) { s.Repo = "blog2" })},
	{prop: "GitHubToken.Branch", before: blogByToken, after: blogSource(func(s *props.GitHubToken) { s.Branch = "trunk" })},
	{prop: "GitHubToken.SecretName", before: blogByToken, after: blogSource(func(s *props.GitHubToken) { s.SecretName = "another" })},
	{prop: "GitHubToken.SecretField", before: blogByToken, after: blogSource(func(s *props.GitHubToken) { s.SecretField = "token" })},
	{prop: "GitHubToken.SecretVersion", before: blogByToken, after: blogSource(func(s *props.GitHubToken) { s.SecretVersion = fixtures.UUID })},
	{prop: "GitHubToken.ParameterName", before: blogByParameter, after: blogSource(func(s *props.GitHubToken) { s.ParameterName = "/blog/token2" })},
	{prop: "GitHubToken.Trigger", before: blogByToken, after: blogSource(func(s *props.GitHubToken) { s.Trigger = props.TokenTriggerPoll })},

	{prop: "Build.Buildspec", after: ownBuildspec},
	{prop: "Build.RootDirectory", after: func(b *props.Blog) { b.Build.RootDirectory = "site" }},
	{prop: "Build.HugoVersion", after: func(b *props.Blog) { b.Build.HugoVersion = "0.150.0" }},
	{prop: "Build.HugoExtended", after: func(b *props.Blog) { b.Build.HugoExtended = true }},
	{prop: "Build.AssetScript", after: func(b *props.Blog) { b.Build.AssetScript = "build:css" }},
	{prop: "Build.AfterHugo", after: func(b *props.Blog) { b.Build.AfterHugo = "npx pagefind --site public" }},
	{prop: "Build.NodeVersion", after: func(b *props.Blog) { b.Build.NodeVersion = "22" }},
	{prop: "Build.Environment", after: func(b *props.Blog) { b.Build.Environment = map[string]string{"HUGO_FLAGS": "--gc"} }},
	{prop: "Build.ComputeType", after: func(b *props.Blog) { b.Build.ComputeType = props.ComputeTypeLarge }},
	{prop: "Build.Image", before: ownBuildspec, after: func(b *props.Blog) { b.Build.Image = "public.ecr.aws/docker/library/node:24" }},
	{prop: "Build.Timeout", after: func(b *props.Blog) { b.Build.Timeout = time.Hour }},
	{prop: "Build.NoCache", after: func(b *props.Blog) { b.Build.NoCache = true }},
	{prop: "Build.LogRetentionDays", after: func(b *props.Blog) { b.Build.LogRetentionDays = 7 }},

	{prop: "Site.Domain", effects: map[props.Controller]string{"": "removes AAAAblogkzmoritadev, removes Ablogkzmoritadev"}, says: "the old name goes from DNS", after: inSite(func(s *props.Site) { s.Domain = "notes.kzmorita.dev" })},
	{prop: "Site.RedirectFrom", effects: map[props.Controller]string{"": "removes AAAAwwwblogkzmoritadev, removes Awwwblogkzmoritadev"}, says: "A name that you remove here is removed from DNS", after: inSite(func(s *props.Site) { s.RedirectFrom = nil })},
	{prop: "HostedZone.ID", effects: map[props.Controller]string{"": "replaces AAAAblogkzmoritadev, replaces AAAAwwwblogkzmoritadev, replaces Ablogkzmoritadev, replaces Awwwblogkzmoritadev"}, says: "the records move to another one", after: inSite(func(s *props.Site) { s.HostedZone.ID = "Z1123456789ABCDEFGHIJ" })},
	{prop: "HostedZone.Name", effects: map[props.Controller]string{"": unseen}, after: inSite(func(s *props.Site) { s.HostedZone.Name = "blog.kzmorita.dev" })},
	{prop: "Site.CertificateARN", effects: map[props.Controller]string{"": "leaves the stack blog-certificate"}, says: "stays in AWS until you delete it there", after: inSite(func(s *props.Site) { s.CertificateARN = fixtures.SiteCertificate })},
	{prop: "Site.MissingSlash", after: inSite(func(s *props.Site) { s.MissingSlash = props.MissingSlashRewrite })},
	{prop: "Site.NotFoundPage", after: inSite(func(s *props.Site) { s.NotFoundPage = "/en/404.html" })},
	{prop: "Site.PriceClass", after: inSite(func(s *props.Site) { s.PriceClass = props.PriceClass100 })},
	{prop: "HSTS.MaxAge", after: inSite(func(s *props.Site) { s.Headers.HSTS.MaxAge = time.Hour })},
	{prop: "HSTS.IncludeSubDomains", after: inSite(func(s *props.Site) { s.Headers.HSTS.IncludeSubDomains = true })},
	{prop: "HSTS.Preload", before: inSite(func(s *props.Site) { s.Headers.HSTS.IncludeSubDomains = true }), after: inSite(func(s *props.Site) { s.Headers.HSTS.Preload = true })},
	{prop: "Headers.Frames", after: inSite(func(s *props.Site) { s.Headers.Frames = props.FramesDeny })},
	{prop: "Headers.Referrer", after: inSite(func(s *props.Site) { s.Headers.Referrer = props.ReferrerNone })},
	{prop: "Headers.ContentSecurityPolicy", after: inSite(func(s *props.Site) { s.Headers.ContentSecurityPolicy = props.NoHeader })},
	{prop: "Headers.Others", after: inSite(func(s *props.Site) { s.Headers.Others = map[string]string{"X-A": "b"} })},
	{prop: "Caching.Immutable", after: inSite(func(s *props.Site) { s.Caching.Immutable = []string{"/assets/*"} })},
	{prop: "Caching.Feeds", after: inSite(func(s *props.Site) { s.Caching.Feeds = []string{} })},
	{prop: "Caching.FeedsFor", after: inSite(func(s *props.Site) { s.Caching.FeedsFor = time.Hour })},
	{prop: "Caching.PagesFor", after: inSite(func(s *props.Site) { s.Caching.PagesFor = time.Minute })},
	{prop: "Site.WebACLARN", after: inSite(func(s *props.Site) {
		s.WebACLARN = "arn:aws:wafv2:us-east-1:" + fixtures.Account + ":global/webacl/blog/" + fixtures.UUID
	})},
	{prop: "Site.AccessLogRetentionDays", how: "is another", before: withLogs, after: inSite(func(s *props.Site) { s.AccessLogRetentionDays = 7 })},
	{prop: "Site.AccessLogRetentionDays", how: "is 0", effects: map[props.Controller]string{"": "leaves the stack blog-logs, leaves AccessLogs"}, says: "The bucket stays when logging ends", before: withLogs, after: inSite(func(s *props.Site) { s.AccessLogRetentionDays = 0 })},
	{prop: "Site.MonthlyBudget", after: inSite(func(s *props.Site) { s.MonthlyBudget = 10 })},
	{prop: "Site.BucketRemoval", how: "is DeleteBucket", after: inSite(func(s *props.Site) { s.BucketRemoval = props.BucketRemovalDelete })},
	{prop: "Site.BucketRemoval", how: "is KeepBucket", effects: map[props.Controller]string{"": "removes BucketAutoDeleteObjectsCustomResource, removes CustomS3AutoDeleteObjectsCustomResourceProviderHandler"}, says: "what was deployed last counts", before: inSite(func(s *props.Site) { s.BucketRemoval = props.BucketRemovalDelete }), after: inSite(func(s *props.Site) { s.BucketRemoval = props.BucketRemovalKeep })},

	{prop: "Deploy.Bucket", before: withoutSite, after: func(b *props.Blog) { b.Deploy.Bucket = "kzmorita-blog2" }},
	{prop: "Deploy.KeyPrefix", before: inFolder, after: func(b *props.Blog) { b.Deploy.KeyPrefix = "en" }},
	{prop: "Deploy.CacheControl", after: func(b *props.Blog) { b.Deploy.CacheControl = "no-cache" }},
	{prop: "Deploy.By", how: "is DeployByFunction", before: byS3Action, after: func(b *props.Blog) { b.Deploy.By = props.DeployByFunction }},
	{prop: "Deploy.By", how: "is DeployByS3Action", effects: map[props.Controller]string{"": "removes Publish, removes PublishLog, leaves Releases"}, says: "A change loses no file…its log goes, too, and its releases bucket stays", after: byS3Action},
	{prop: "Deploy.Headers", after: headers(func(h *props.FileHeaders) { *h = props.FileHeaders{Match: "*.txt", ContentLanguage: "en"} })},
	{prop: "FileHeaders.Match", before: withHeaders, after: headers(func(h *props.FileHeaders) { h.Match = "*.txt" })},
	{prop: "FileHeaders.CacheControl", before: withHeaders, after: headers(func(h *props.FileHeaders) { h.CacheControl = "no-cache" })},
	{prop: "FileHeaders.ContentType", before: withHeaders, after: headers(func(h *props.FileHeaders) { h.ContentType = "application/pdf" })},
	{prop: "FileHeaders.ContentLanguage", before: withHeaders, after: headers(func(h *props.FileHeaders) { h.ContentLanguage = "en" })},
	{prop: "FileHeaders.ContentDisposition", before: withHeaders, after: headers(func(h *props.FileHeaders) { h.ContentDisposition = "attachment" })},
	{prop: "FileHeaders.Metadata", before: withHeaders, after: headers(func(h *props.FileHeaders) { h.Metadata = map[string]string{"author": "kzmorita"} })},
	{prop: "Deploy.Grace", after: func(b *props.Blog) { b.Deploy.Grace = props.NoGrace }},
	{prop: "Deploy.MaxDeletePercent", after: func(b *props.Blog) { b.Deploy.MaxDeletePercent = 50 }},
	{prop: "Deploy.KeepDays", after: func(b *props.Blog) { b.Deploy.KeepDays = 30 }},
	{prop: "Deploy.LogRetentionDays", after: func(b *props.Blog) { b.Deploy.LogRetentionDays = 7 }},
	{prop: "Deploy.EncryptionKeyARN", before: withoutSite, after: func(b *props.Blog) {
		b.Deploy.EncryptionKeyARN = "arn:aws:kms:ap-northeast-1:" + fixtures.Account + ":key/" + fixtures.UUID
	}},
	{prop: "Invalidate.DistributionID", before: withoutSite, after: func(b *props.Blog) { b.Invalidate.DistributionID = "E2QWRUHAPOMQZM" }},
	{prop: "Invalidate.RoleARN", before: withoutSite, after: func(b *props.Blog) { b.Invalidate.RoleARN = "arn:aws:iam::999999999999:role/clear-cache" }},
	{prop: "Invalidate.Paths", after: func(b *props.Blog) { b.Invalidate.Paths = []string{"/posts/*"} }},
	{prop: "Invalidate.MaxPaths", after: func(b *props.Blog) { b.Invalidate.MaxPaths = 10 }},
	{prop: "Invalidate.QueryStrings", before: inFolder, after: func(b *props.Blog) { b.Invalidate.QueryStrings = true }},
	{prop: "Invalidate.BasePath", before: inFolder, after: func(b *props.Blog) { b.Invalidate.BasePath = "/ja/" }},
	{prop: "Invalidate.Verify", after: func(b *props.Blog) { b.Invalidate.Verify = props.NoVerify }},
	{prop: "Invalidate.Deadline", after: func(b *props.Blog) { b.Invalidate.Deadline = time.Hour }},
	{prop: "Invalidate.OnFailure", after: func(b *props.Blog) { b.Invalidate.OnFailure = props.OnFailureProceed }},
	{prop: "Invalidate.PollFor", after: func(b *props.Blog) { b.Invalidate.PollFor = time.Minute }},
	{prop: "Invalidate.LogRetentionDays", after: func(b *props.Blog) { b.Invalidate.LogRetentionDays = 7 }},
	{prop: "Schedule.Expression", after: func(b *props.Blog) { b.Schedule.Expression = "cron(0 6 * * ? *)" }},
	{prop: "Schedule.TimeZone", before: func(b *props.Blog) { b.Schedule.Expression = "cron(0 6 * * ? *)" }, after: func(b *props.Blog) { b.Schedule.TimeZone = "Asia/Tokyo" }},
	{prop: "Notifications.Emails", before: inSite(func(s *props.Site) { s.MonthlyBudget = 10 }), after: func(b *props.Blog) { b.Notifications.Emails = []string{"you@blog.dev"} }},
	{prop: "Notifications.TopicARN", after: func(b *props.Blog) {
		b.Notifications.TopicARN = "arn:aws:sns:ap-northeast-1:" + fixtures.Account + ":alerts"
	}},
	{prop: "Notifications.OnSuccess", after: func(b *props.Blog) { b.Notifications.OnSuccess = true }},
	{prop: "Monitoring.Dashboard", after: func(b *props.Blog) { b.Monitoring.Dashboard = true }},
	{prop: "Monitoring.Alarms", after: func(b *props.Blog) { b.Monitoring.Alarms = true }},
}
