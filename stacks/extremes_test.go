package stacks

import (
	"blog-deploy-pipeline/stacks/props"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// x returns a text of n characters.
func x(n int) string { return strings.Repeat("x", n) }

// several returns n texts that differ.
func several(n int, format string) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(format, i))
	}
	return all
}

// extremeBlogs go to the limits of what Validate takes, in all fields at once; numbers go
// to both limits in the last two.
var extremeBlogs = []props.Blog{
	{
		Name: "A" + strings.Repeat("a-", 49) + "a", Account: account, Region: "ap-southeast-5",
		Source: props.GitHubConnection{
			Owner: x(39), Repo: x(100), Branch: "{" + x(253), ConnectionARN: strings.Replace(connectionARN, "codeconnections", "codestar-connections", 1), FullClone: true,
			Trigger: props.Trigger{Paths: several(8, "%d/"+strings.Repeat("日", 253)), IgnorePaths: several(8, `%d/\{`+x(251))},
		},
		Build:         props.Build{Buildspec: "..日本語 \"'$x/" + x(500) + ".YAML", Image: "public.ecr.aws/a/" + x(100) + ":" + x(128), Environment: map[string]string{"_": "\n\t\"'${x}<>&日本語" + x(20000)}, LogRetentionDays: 3653},
		Deploy:        props.Deploy{Bucket: x(61) + ".x", KeyPrefix: "!_.'()-/" + x(503), CacheControl: strings.Repeat("public,", 142) + "public", EncryptionKeyARN: "arn:aws:kms:ap-southeast-5:" + account + ":key/mrk-" + x(32)},
		Invalidate:    props.Invalidate{DistributionID: "E" + strings.Repeat("X", 19), Paths: []string{"/" + x(800), "#" + strings.Repeat("!", 20)}, LogRetentionDays: 3653},
		Notifications: props.Notifications{Emails: several(2, "!#$%%&'*+/=?^_`|~-%d@"+x(63)+".dev"), TopicARN: "arn:aws:sns:ap-southeast-5:" + account + ":" + x(256)},
		ExecutionMode: props.ExecutionModeQueued,
	},
	{
		Name: "b", Account: account, Region: "sa-east-1",
		Source:       props.GitHubToken{Owner: "x", Repo: ".x", SecretName: "arn:aws:secretsmanager:sa-east-1:" + account + ":secret:/_+=.@-" + x(500) + "-AbCdEf", SecretField: "a.b_c-" + x(100), SecretVersion: x(64)},
		Build:        props.Build{NoCache: true, LogRetentionDays: 1},
		Deploy:       props.Deploy{Bucket: "a.b"},
		Invalidate:   props.Invalidate{DistributionID: "E000000000"},
		PipelineType: props.PipelineTypeV1,
	},
	{
		Name: "c", Region: "ap-southeast-1",
		Source:     props.GitHubToken{Owner: "x", Repo: "x", ParameterName: strings.Repeat("/p", 14) + "/" + x(932), Trigger: props.TokenTriggerNone},
		Deploy:     props.Deploy{Bucket: "abc", CacheControl: `no-cache="Set-Cookie, X"`},
		Invalidate: props.Invalidate{DistributionID: "E000000001"},
	},
	{
		Name: "d" + x(99), Account: account, Region: "eu-west-1",
		Source: props.GitHubConnection{Owner: "x", Repo: "x", ConnectionARN: connectionARN, Trigger: props.Trigger{Tags: several(8, "%d"+x(254))}},
		Site: &props.Site{
			Domain: strings.Repeat("d.", 124) + "blog", RedirectFrom: several(99, "w%d.kzmorita.io"), CertificateARN: siteCertificate,
			Headers: props.Headers{
				HSTS:                  props.HSTS{MaxAge: 68 * 365 * 24 * time.Hour},
				ContentSecurityPolicy: "default-src " + x(1771),
				Others: map[string]string{
					"X-" + x(254): x(1783), "X-2": x(1783), "X-3": x(1783), "X-4": x(1783), "X-5": x(1783), "X-6": x(1000), "X-7": `"<>&`, "X-8": "x", "X-9": "x",
				},
			},
			Caching:                props.Caching{Immutable: several(37, "/%d/"+x(251)), Feeds: several(37, `*%d$~"'@:+&?`)},
			WebACLARN:              "arn:aws:wafv2:us-east-1:" + account + ":global/webacl/" + x(128) + "/" + uuid,
			AccessLogRetentionDays: props.MaxAccessLogDays, MonthlyBudget: 1 << 50,
		},
		Notifications: props.Notifications{Emails: several(props.MaxBudgetEmails, "m%d@blog.dev")},
	},
	{
		Name: "e", Region: "us-east-1",
		Source: modern.Source,
		Site: &props.Site{
			Domain: x(56) + ".zone.io", RedirectFrom: append(several(8, "w%d.zone.io"), strings.Repeat("e.", 122)+"zone.io"),
			HostedZone: props.HostedZone{ID: "Z" + strings.Repeat("X", 31), Name: "zone.io"}, AccessLogRetentionDays: 1, BucketRemoval: props.BucketRemovalDelete,
		},
	},
	{
		Name: "least", Region: "us-east-1", Source: modern.Source, Notifications: modern.Notifications,
		Build:      props.Build{Timeout: props.MinBuildTimeout, LogRetentionDays: 1},
		Invalidate: props.Invalidate{Deadline: props.MinDeadline, PollFor: props.MinPollFor, LogRetentionDays: 1},
		Schedule:   props.Schedule{Expression: "rate(15 minutes)"},
		Site:       &props.Site{Headers: props.Headers{HSTS: props.HSTS{MaxAge: time.Second}}, Caching: props.Caching{FeedsFor: time.Second, PagesFor: time.Second}, AccessLogRetentionDays: 1, MonthlyBudget: 1},
	},
	{
		Name: "most", Region: "us-east-1", Source: modern.Source, Notifications: modern.Notifications,
		Build:      props.Build{Timeout: props.MaxBuildTimeout, LogRetentionDays: 3653},
		Invalidate: props.Invalidate{Deadline: props.MaxDeadline, PollFor: props.MaxPollFor, LogRetentionDays: 3653},
		Schedule:   props.Schedule{Expression: "rate(99999 days)"},
		Site:       &props.Site{Headers: props.Headers{HSTS: props.HSTS{MaxAge: props.MaxHSTS}}, Caching: props.Caching{FeedsFor: props.MaxKeptFor, PagesFor: props.MaxKeptFor}, AccessLogRetentionDays: props.MaxAccessLogDays},
	},
}

var extremeServices = slices.Concat([]props.Service{
	props.ExistingService{
		Name: "f" + x(48), Account: account, Region: "mx-central-1",
		DeployedBy: props.CodeDeployGroup{Application: ".+=,@-" + x(94), DeploymentGroup: x(100), Container: x(255), Port: 65535},
		Hook: props.Hook{
			Invalidations: func() (all []props.Invalidation) {
				for _, id := range several(props.MaxDistributions, "E00000000000%d") {
					all = append(all, props.Invalidation{DistributionID: id, Paths: []string{"/" + x(330)}})
				}
				return all
			}(),
			Events: props.ControllerCodeDeploy.Events(), LogRetentionDays: 3653,
		},
		Notifications: props.Notifications{Emails: several(2, "m%d@blog.dev")},
	},
	props.ExistingService{
		Name: "g" + x(48), DeployedBy: props.ECSService{Cluster: x(255), Service: x(255)},
		Hook: props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E000000000"}}, Events: props.ControllerECS.Events()},
	},
	props.FargateService{
		Name: "h" + x(48), Account: account, Region: "us-west-2",
		Source: props.GitHubConnection{Owner: "x", Repo: "x", ConnectionARN: connectionARN},
		Container: props.Container{
			Port: 65535, HealthCheckPath: "/" + x(1023), CPU: 16384, MemoryMiB: 122880,
			Environment: map[string]string{"_": "\n\"<>&${x} ${" + x(30000)},
			Secrets: func() map[string]string {
				all := map[string]string{"P": "/" + x(950)}
				for i, name := range several(30, "S%d") {
					all[name] = fmt.Sprintf("arn:aws:secretsmanager:us-west-2:%s:secret:rds!%d-%s-AbCdEf", account, i, x(480))
				}
				return all
			}(),
			SecretKeyARNs: several(10, "arn:aws:kms:us-west-2:"+account+":key/mrk-0123456789abcdef0123456789abcde%d"),
			Dockerfile:    "日本語 \"'$x/" + x(500), Context: "a b", InitialImage: "public.ecr.aws/" + x(240), LogRetentionDays: 3653,
		},
		DesiredCount: 100, StartTime: 15 * time.Minute,
		VPC: props.ExistingVPC{
			ID: "vpc-01234567", CIDR: "10.0.0.0/28", AvailabilityZones: strings.Fields("us-west-2a us-west-2b us-west-2c us-west-2d us-west-2-lax-1a us-west-2-lax-1b"),
			PublicSubnets: several(6, "subnet-0000000%d"), PrivateSubnets: several(6, "subnet-1000000%d"),
		},
		Cluster:       x(255),
		LoadBalancer:  props.LoadBalancer{AllowFrom: several(30, "%d.0.0.0/8"), TestPort: 65535, TestFrom: several(30, "192.0.2.%d/32")},
		AlarmNames:    append(several(7, "%d: \"<>&/日本語"+x(200)), x(255)),
		Hook:          props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E000000000"}}, OnFailure: props.OnFailureFail},
		Notifications: props.Notifications{Emails: several(2, "m%d@blog.dev"), TopicARN: "arn:aws:sns:us-west-2:" + account + ":alerts"},
	},
	props.FargateService{
		Name: "i-", Region: "ap-southeast-7",
		Source:       props.GitHubToken{Owner: "x", Repo: "x", SecretName: "!", Trigger: props.TokenTriggerPoll},
		Controller:   props.ControllerECS,
		DesiredCount: 1,
		VPC:          props.NewVPC{CIDR: "192.168.255.0/24", NATGateways: 2},
		LoadBalancer: props.LoadBalancer{CertificateARN: "arn:aws:acm:ap-southeast-7:" + account + ":certificate/x", OriginPrefixListID: "pl-01234567", TestPort: 1},
		AlarmNames:   several(8, "%d"), Shift: props.ShiftLinear,
		Hook:          props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E000000000"}}, Events: props.ControllerECS.Events()},
		Notifications: props.Notifications{Emails: several(props.MaxEmails, "m%d@blog.dev")},
	},
	props.FargateService{
		Name: "j" + x(48), Region: "ap-southeast-1",
		Source:    props.GitHubConnection{Owner: "x", Repo: "x", ConnectionARN: connectionARN},
		Container: props.Container{InitialImage: account + ".dkr.ecr.ap-southeast-1.amazonaws.com/" + x(200)},
		VPC:       props.NewVPC{CIDR: "192.168.255.0/24", AvailabilityZones: []string{"ap-southeast-1a", "ap-southeast-1c"}, PublicTasks: true},
		LoadBalancer: props.LoadBalancer{
			Internal: true, CertificateARN: "arn:aws:acm:ap-southeast-1:" + account + ":certificate/x", OriginPrefixListID: "pl-01234567",
			AllowFrom: []string{"100.64.0.0/10", "192.168.255.0/24"}, TestPort: 1,
		},
		Hook: props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E000000000"}}},
	},
	props.FargateService{
		Name: "k", Source: props.GitHubConnection{Owner: "x", Repo: "x", ConnectionARN: connectionARN},
		VPC:          props.NewVPC{AvailabilityZones: []string{"us-east-1a", "us-east-1f"}, NATGateways: 2},
		LoadBalancer: props.LoadBalancer{Internal: true, OriginPrefixListID: "pl-01234567"},
		Controller:   props.ControllerECS,
		Hook:         props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E000000000"}}},
	},
}, extremeNumbers(props.ControllerCodeDeploy, props.MaxCodeDeployDeadline), extremeNumbers(props.ControllerECS, props.MaxDeadline))

// extremeNumbers are the services of a controller whose numbers are the least and the
// most.
func extremeNumbers(controller props.Controller, latest time.Duration) []props.Service {
	edges := []props.Invalidation{{DistributionID: "E000000000"}}
	name := "codedeploy"
	var least, most props.Deployer = props.CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: "c", Port: 1}, props.CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: "c", Port: 65535}
	fewest, greatest := 1, props.MaxDesiredCount
	if controller == props.ControllerECS {
		name, least, most = "ecs", props.ECSService{Cluster: "c", Service: "s"}, props.ECSService{Cluster: "c", Service: "s"}
		fewest, greatest = 0, 0 // Scaling sets them
	}
	return []props.Service{
		props.ExistingService{Name: name + "-least", DeployedBy: least, Hook: props.Hook{Invalidations: edges, Deadline: props.MinDeadline, LogRetentionDays: 1}},
		props.ExistingService{Name: name + "-most", DeployedBy: most, Hook: props.Hook{Invalidations: edges, Deadline: latest, LogRetentionDays: 3653}},
		props.FargateService{
			Name: name + "-made-least", Source: modern.Source, Controller: controller, Build: props.ImageBuild{Timeout: props.MinBuildTimeout, LogRetentionDays: 1},
			Container: props.Container{Port: 1, CPU: 256, MemoryMiB: 512, LogRetentionDays: 1, InitialImage: "public.ecr.aws/docker/library/httpd:2.4.65"},
			VPC:       props.NewVPC{NATGateways: 1}, LoadBalancer: props.LoadBalancer{TestPort: 1},
			DesiredCount: fewest, Scaling: props.Scaling{MinTasks: 1, MaxTasks: 1, CPUPercent: 1, RequestsPerTask: 1}, StartTime: props.MinStartTime, KeepOld: props.MinKeepOld, MaxErrorPercent: 1,
			Hook: props.Hook{Invalidations: edges, Deadline: props.MinDeadline, LogRetentionDays: 1},
		},
		props.FargateService{
			Name: name + "-made-most", Source: modern.Source, Controller: controller, Shift: props.ShiftLinear, Build: props.ImageBuild{Timeout: props.MaxBuildTimeout, LogRetentionDays: 3653},
			Container: props.Container{Port: 65535, CPU: 16384, MemoryMiB: 122880, LogRetentionDays: 3653, InitialImage: "public.ecr.aws/docker/library/httpd:2.4.65"},
			VPC:       props.NewVPC{NATGateways: 2}, LoadBalancer: props.LoadBalancer{TestPort: 65535},
			DesiredCount: greatest, Scaling: props.Scaling{MinTasks: props.MaxDesiredCount, MaxTasks: props.MaxDesiredCount, CPUPercent: 99, RequestsPerTask: math.MaxInt}, StartTime: props.MaxStartTime, KeepOld: props.MaxKeepOld, MaxErrorPercent: 100,
			Hook: props.Hook{Invalidations: edges, Deadline: latest, LogRetentionDays: 3653},
		},
	}
}

// synthOnly is set where the tests' program makes templates and does nothing else: those
// extremes, or into a folder those of changes_test.go.
const synthOnly, extremes = "SYNTH_ONLY", "extremes"

// TestWhatIsAcceptedCanBeSynthesised holds the extremes against the CDK, and against the
// rules of CloudFormation that it brings.
func TestWhatIsAcceptedCanBeSynthesised(t *testing.T) {
	t.Parallel() // it waits for another process
	if err := props.Validate(extremeBlogs, extremeServices); err != nil {
		t.Fatal(err)
	}
	synthElsewhere(t, extremes)
}

// synthElsewhere has another process make templates, with these variables added to its environment, and
// returns what it printed. Each process has one jsii kernel.
func synthElsewhere(t *testing.T, what string, env ...string) (output string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	child.Dir = "stacks" // as go test has it
	child.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CDK_VALIDATION=") }), synthOnly+"="+what)
	child.Env = append(child.Env, env...)
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	return string(out)
}
