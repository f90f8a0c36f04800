package stacks

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// extremeBlogs have values at the limits of what Validate accepts, in all fields at once. The last two
// have the lowest and the highest numbers.
var extremeBlogs = []props.Blog{
	{
		Name: "A" + strings.Repeat("a-", 49) + "a", Account: fixtures.Account, Region: "ap-southeast-5",
		Source: props.GitHubConnection{
			Owner: fixtures.X(39), Repo: fixtures.X(100), Branch: "{" + fixtures.X(253), ConnectionARN: strings.Replace(fixtures.ConnectionARN, "codeconnections", "codestar-connections", 1), FullClone: true,
			Trigger: props.Trigger{Paths: fixtures.Several(8, "%d/"+strings.Repeat("日", 253)), IgnorePaths: fixtures.Several(8, `%d/\{`+fixtures.X(251))},
		},
		Build: props.Build{Buildspec: "..日本語 \"'$x/" + fixtures.X(500) + ".YAML", Image: "public.ecr.aws/a/" + fixtures.X(100) + ":" + fixtures.X(128), Environment: map[string]string{"_": "\n\t\"'${x}<>&日本語" + fixtures.X(20000)}, LogRetentionDays: 3653},
		Deploy: props.Deploy{Bucket: fixtures.X(61) + ".x", KeyPrefix: "!_.'()-/" + fixtures.X(503), CacheControl: strings.Repeat("public,", 142) + "public", EncryptionKeyARN: "arn:aws:kms:ap-southeast-5:" + fixtures.Account + ":key/mrk-" + fixtures.X(32), Headers: []props.FileHeaders{
			{Match: `*$~"'@:+&?`, CacheControl: "no-store", ContentType: `text/plain; charset="utf-8"`, ContentLanguage: "x", ContentDisposition: `attachment; filename="<>&${x} #{y}"`, Metadata: map[string]string{"_": "${AWS::Region} \"<>&" + fixtures.X(1100)}},
		}},
		Invalidate:    props.Invalidate{DistributionID: "E" + strings.Repeat("X", 19), Paths: []string{"/" + fixtures.X(800), "#" + strings.Repeat("!", 20)}, LogRetentionDays: 3653},
		Notifications: props.Notifications{Emails: fixtures.Several(2, "!#$%%&'*+/=?^_`|~-%d@"+fixtures.X(63)+".dev"), TopicARN: "arn:aws:sns:ap-southeast-5:" + fixtures.Account + ":" + fixtures.X(256), OnSuccess: true},
		Monitoring:    props.Monitoring{Dashboard: true, Alarms: true},
		ExecutionMode: props.ExecutionModeQueued,
	},
	{
		Name: "b", Account: fixtures.Account, Region: "sa-east-1",
		Source:       props.GitHubToken{Owner: "x", Repo: ".x", SecretName: "arn:aws:secretsmanager:sa-east-1:" + fixtures.Account + ":secret:/_+=.@-" + fixtures.X(500) + "-AbCdEf", SecretField: "a.b_c-" + fixtures.X(100), SecretVersion: fixtures.X(64)},
		Build:        props.Build{NoCache: true, LogRetentionDays: 1},
		Deploy:       props.Deploy{Bucket: "a.b"},
		Invalidate:   props.Invalidate{DistributionID: "E000000000"},
		PipelineType: props.PipelineTypeV1,
	},
	{
		Name: "c", Region: "ap-southeast-1",
		Source:     props.GitHubToken{Owner: "x", Repo: "x", ParameterName: strings.Repeat("/p", 14) + "/" + fixtures.X(932), Trigger: props.TokenTriggerNone},
		Deploy:     props.Deploy{Bucket: "abc", KeyPrefix: fixtures.X(512), CacheControl: `no-cache="Set-Cookie, X"`},
		Invalidate: props.Invalidate{DistributionID: "E000000001", BasePath: "/!_.'()-/" + fixtures.X(504) + "/", QueryStrings: true, Verify: "https://" + strings.Repeat("c.", 124) + "blog"},
		Monitoring: props.Monitoring{Dashboard: true},
	},
	{
		Name: "d" + fixtures.X(99), Account: fixtures.Account, Region: "eu-west-1",
		Source: props.GitHubConnection{Owner: "x", Repo: "x", ConnectionARN: fixtures.ConnectionARN, Trigger: props.Trigger{Tags: fixtures.Several(8, "%d"+fixtures.X(254))}},
		Site: &props.Site{
			Domain: strings.Repeat("d.", 124) + "blog", RedirectFrom: fixtures.Several(99, "w%d.kzmorita.io"), CertificateARN: fixtures.SiteCertificate,
			Headers: props.Headers{
				HSTS:                  props.HSTS{MaxAge: 68 * 365 * 24 * time.Hour},
				ContentSecurityPolicy: "default-src " + fixtures.X(1771),
				Others: map[string]string{
					"X-" + fixtures.X(254): fixtures.X(1783), "X-2": fixtures.X(1783), "X-3": fixtures.X(1783), "X-4": fixtures.X(1783), "X-5": fixtures.X(1783), "X-6": fixtures.X(1000), "X-7": `"<>&`, "X-8": "x", "X-9": "x",
				},
			},
			Caching:                props.Caching{Immutable: fixtures.Several(37, "/%d/"+fixtures.X(251)), Feeds: fixtures.Several(37, `*%d$~"'@:+&?`)},
			WebACLARN:              "arn:aws:wafv2:us-east-1:" + fixtures.Account + ":global/webacl/" + fixtures.X(128) + "/" + fixtures.UUID,
			AccessLogRetentionDays: 3653, MonthlyBudget: 1 << 50,
		},
		Notifications: props.Notifications{Emails: fixtures.Several(10, "m%d@blog.dev"), OnSuccess: true},
		Monitoring:    props.Monitoring{Dashboard: true, Alarms: true},
	},
	{
		Name: "e", Region: "us-east-1",
		Source: fixtures.Modern.Source,
		Site: &props.Site{
			Domain: fixtures.X(56) + ".zone.io", RedirectFrom: append(fixtures.Several(8, "w%d.zone.io"), strings.Repeat("e.", 122)+"zone.io"),
			HostedZone: props.HostedZone{ID: "Z" + strings.Repeat("X", 31), Name: "zone.io"}, AccessLogRetentionDays: 1, BucketRemoval: props.BucketRemovalDelete,
		},
	},
	{
		Name: "least", Region: "us-east-1", Source: fixtures.Modern.Source, Notifications: fixtures.Modern.Notifications,
		Build:      props.Build{Timeout: 5 * time.Minute, LogRetentionDays: 1},
		Deploy:     props.Deploy{Grace: time.Minute, MaxDeletePercent: 1, KeepDays: 1, LogRetentionDays: 1},
		Invalidate: props.Invalidate{Deadline: time.Minute, PollFor: time.Second, MaxPaths: 1, LogRetentionDays: 1},
		Schedule:   props.Schedule{Expression: "rate(15 minutes)"},
		Site:       &props.Site{Headers: props.Headers{HSTS: props.HSTS{MaxAge: time.Second}}, Caching: props.Caching{FeedsFor: time.Second, PagesFor: time.Second}, AccessLogRetentionDays: 1, MonthlyBudget: 1},
	},
	{
		Name: "most", Region: "us-east-1", Source: fixtures.Modern.Source, Notifications: fixtures.Modern.Notifications,
		Build:      props.Build{Timeout: 36 * time.Hour, LogRetentionDays: 3653},
		Deploy:     props.Deploy{Grace: 365 * 24 * time.Hour, MaxDeletePercent: 100, KeepDays: 3650, LogRetentionDays: 3653},
		Invalidate: props.Invalidate{Deadline: 23 * time.Hour, PollFor: 10 * time.Minute, MaxPaths: 100, LogRetentionDays: 3653},
		Schedule:   props.Schedule{Expression: "rate(99999 days)"},
		Site:       &props.Site{Headers: props.Headers{HSTS: props.HSTS{MaxAge: math.MaxInt32 * time.Second}}, Caching: props.Caching{FeedsFor: 24 * time.Hour, PagesFor: 24 * time.Hour}, AccessLogRetentionDays: 3653},
	},
}

var extremeServices = slices.Concat([]props.Service{
	props.ExistingService{
		Name: "f" + fixtures.X(48), Account: fixtures.Account, Region: "mx-central-1",
		DeployedBy: props.CodeDeployGroup{Application: ".+=,@-" + fixtures.X(94), DeploymentGroup: fixtures.X(100), Container: fixtures.X(255), Port: 65535},
		Hook: props.Hook{
			Invalidations: func() (all []props.Invalidation) {
				for _, id := range fixtures.Several(10, "E00000000000%d") {
					all = append(all, props.Invalidation{DistributionID: id, Paths: []string{"/" + fixtures.X(330)}})
				}
				return all
			}(),
			Events: props.ControllerCodeDeploy.Events(), LogRetentionDays: 3653,
		},
		Notifications: props.Notifications{Emails: fixtures.Several(2, "m%d@blog.dev")},
	},
	props.ExistingService{
		Name: "g" + fixtures.X(48), DeployedBy: props.ECSService{Cluster: fixtures.X(255), Service: fixtures.X(255)},
		Hook: props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E000000000"}}, Events: props.ControllerECS.Events()},
	},
	props.FargateService{
		Name: "h" + fixtures.X(48), Account: fixtures.Account, Region: "us-west-2",
		Source: props.GitHubConnection{Owner: "x", Repo: "x", ConnectionARN: fixtures.ConnectionARN},
		Container: props.Container{
			Port: 65535, HealthCheckPath: "/" + fixtures.X(1023), CPU: 16384, MemoryMiB: 122880,
			Environment: map[string]string{"_": "\n\"<>&${x} ${" + fixtures.X(30000)},
			Secrets: func() map[string]string {
				all := map[string]string{"P": "/" + fixtures.X(950)}
				for i, name := range fixtures.Several(30, "S%d") {
					all[name] = fmt.Sprintf("arn:aws:secretsmanager:us-west-2:%s:secret:rds!%d-%s-AbCdEf", fixtures.Account, i, fixtures.X(480))
				}
				return all
			}(),
			SecretKeyARNs: fixtures.Several(10, "arn:aws:kms:us-west-2:"+fixtures.Account+":key/mrk-0123456789abcdef0123456789abcde%d"),
			Dockerfile:    "日本語 \"'$x/" + fixtures.X(500), Context: "a b", InitialImage: "public.ecr.aws/" + fixtures.X(240), LogRetentionDays: 3653,
		},
		DesiredCount: 100, StartTime: 15 * time.Minute,
		VPC: props.ExistingVPC{
			ID: "vpc-01234567", CIDR: "10.0.0.0/28", AvailabilityZones: strings.Fields("us-west-2a us-west-2b us-west-2c us-west-2d us-west-2-lax-1a us-west-2-lax-1b"),
			PublicSubnets: fixtures.Several(6, "subnet-0000000%d"), PrivateSubnets: fixtures.Several(6, "subnet-1000000%d"),
		},
		Cluster:       fixtures.X(255),
		LoadBalancer:  props.LoadBalancer{AllowFrom: fixtures.Several(30, "%d.0.0.0/8"), TestPort: 65535, TestFrom: fixtures.Several(30, "192.0.2.%d/32")},
		AlarmNames:    append(fixtures.Several(7, "%d: \"<>&/日本語"+fixtures.X(200)), fixtures.X(255)),
		Hook:          props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E000000000"}}, OnFailure: props.OnFailureFail},
		Notifications: props.Notifications{Emails: fixtures.Several(2, "m%d@blog.dev"), TopicARN: "arn:aws:sns:us-west-2:" + fixtures.Account + ":alerts"},
	},
	props.FargateService{
		Name: "i-", Region: "ap-southeast-7",
		Source:       props.GitHubToken{Owner: "x", Repo: "x", SecretName: "!", Trigger: props.TokenTriggerPoll},
		Controller:   props.ControllerECS,
		DesiredCount: 1,
		VPC:          props.NewVPC{CIDR: "192.168.255.0/24", NATGateways: 2},
		LoadBalancer: props.LoadBalancer{CertificateARN: "arn:aws:acm:ap-southeast-7:" + fixtures.Account + ":certificate/x", OriginPrefixListID: "pl-01234567", TestPort: 1},
		AlarmNames:   fixtures.Several(8, "%d"), Shift: props.ShiftLinear,
		Hook:          props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E000000000"}}, Events: props.ControllerECS.Events()},
		Notifications: props.Notifications{Emails: fixtures.Several(400, "m%d@blog.dev")},
	},
	props.FargateService{
		Name: "j" + fixtures.X(48), Region: "ap-southeast-1",
		Source:    props.GitHubConnection{Owner: "x", Repo: "x", ConnectionARN: fixtures.ConnectionARN},
		Container: props.Container{InitialImage: fixtures.Account + ".dkr.ecr.ap-southeast-1.amazonaws.com/" + fixtures.X(200)},
		VPC:       props.NewVPC{CIDR: "192.168.255.0/24", AvailabilityZones: []string{"ap-southeast-1a", "ap-southeast-1c"}, PublicTasks: true},
		LoadBalancer: props.LoadBalancer{
			Internal: true, CertificateARN: "arn:aws:acm:ap-southeast-1:" + fixtures.Account + ":certificate/x", OriginPrefixListID: "pl-01234567",
			AllowFrom: []string{"100.64.0.0/10", "192.168.255.0/24"}, TestPort: 1,
		},
		Hook: props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E000000000"}}},
	},
	props.FargateService{
		Name: "k", Source: props.GitHubConnection{Owner: "x", Repo: "x", ConnectionARN: fixtures.ConnectionARN},
		VPC:          props.NewVPC{AvailabilityZones: []string{"us-east-1a", "us-east-1f"}, NATGateways: 2},
		LoadBalancer: props.LoadBalancer{Internal: true, OriginPrefixListID: "pl-01234567"},
		Controller:   props.ControllerECS,
		Hook:         props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E000000000"}}},
	},
}, extremeNumbers(props.ControllerCodeDeploy, 14*time.Minute), extremeNumbers(props.ControllerECS, 23*time.Hour))

// extremeNumbers returns two services of a controller: one with the lowest numbers, one with the highest.
func extremeNumbers(controller props.Controller, latest time.Duration) []props.Service {
	edges := []props.Invalidation{{DistributionID: "E000000000"}}
	name := "codedeploy"
	var least, most props.Deployer = props.CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: "c", Port: 1}, props.CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: "c", Port: 65535}
	fewest, greatest := 1, 100
	if controller == props.ControllerECS {
		name, least, most = "ecs", props.ECSService{Cluster: "c", Service: "s"}, props.ECSService{Cluster: "c", Service: "s"}
		fewest, greatest = 0, 0 // Scaling sets them
	}
	return []props.Service{
		props.ExistingService{Name: name + "-least", DeployedBy: least, Hook: props.Hook{Invalidations: edges, Deadline: time.Minute, LogRetentionDays: 1}},
		props.ExistingService{Name: name + "-most", DeployedBy: most, Hook: props.Hook{Invalidations: edges, Deadline: latest, LogRetentionDays: 3653}},
		props.FargateService{
			Name: name + "-made-least", Source: fixtures.Modern.Source, Controller: controller, Build: props.ImageBuild{Timeout: 5 * time.Minute, LogRetentionDays: 1},
			Container: props.Container{Port: 1, CPU: 256, MemoryMiB: 512, LogRetentionDays: 1, InitialImage: "public.ecr.aws/docker/library/httpd:2.4.65"},
			VPC:       props.NewVPC{NATGateways: 1}, LoadBalancer: props.LoadBalancer{TestPort: 1},
			DesiredCount: fewest, Scaling: props.Scaling{MinTasks: 1, MaxTasks: 1, CPUPercent: 1, RequestsPerTask: 1}, StartTime: 10 * time.Second, KeepOld: time.Minute, MaxErrorPercent: 1,
			Hook: props.Hook{Invalidations: edges, Deadline: time.Minute, LogRetentionDays: 1},
		},
		props.FargateService{
			Name: name + "-made-most", Source: fixtures.Modern.Source, Controller: controller, Shift: props.ShiftLinear, Build: props.ImageBuild{Timeout: 36 * time.Hour, LogRetentionDays: 3653},
			Container: props.Container{Port: 65535, CPU: 16384, MemoryMiB: 122880, LogRetentionDays: 3653, InitialImage: "public.ecr.aws/docker/library/httpd:2.4.65"},
			VPC:       props.NewVPC{NATGateways: 2}, LoadBalancer: props.LoadBalancer{TestPort: 65535},
			DesiredCount: greatest, Scaling: props.Scaling{MinTasks: 100, MaxTasks: 100, CPUPercent: 99, RequestsPerTask: math.MaxInt}, StartTime: 15 * time.Minute, KeepOld: 24 * time.Hour, MaxErrorPercent: 100,
			Hook: props.Hook{Invalidations: edges, Deadline: latest, LogRetentionDays: 3653},
		},
	}
}

// synthOnly is the environment variable that has the tests' program make templates and do nothing else:
// the value extremes stands for those of this file, and a folder for those of changes_test.go.
const synthOnly, extremes = "SYNTH_ONLY", "extremes"

// TestWhatIsAcceptedCanBeSynthesised checks the extremes with the CDK, and with the rules of
// CloudFormation that it contains.
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
	child.Dir = filepath.Join(root, "stacks") // as go test has it
	child.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CDK_VALIDATION=") }), synthOnly+"="+what)
	child.Env = append(child.Env, env...)
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	return string(out)
}
