package stacks

import (
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
var extremeBlogs = []BlogProps{
	{
		Name: "A" + strings.Repeat("a-", 49) + "a", Account: account, Region: "ap-southeast-5",
		Source: GitHubConnection{
			Owner: x(39), Repo: x(100), Branch: "{" + x(253), ConnectionARN: strings.Replace(connectionARN, "codeconnections", "codestar-connections", 1), FullClone: true,
			Trigger: Trigger{Paths: several(8, "%d/"+strings.Repeat("日", 253)), IgnorePaths: several(8, `%d/\{`+x(251))},
		},
		Build:         Build{Buildspec: "..日本語 \"'$x/" + x(500) + ".YAML", Image: "public.ecr.aws/a/" + x(100) + ":" + x(128), Environment: map[string]string{"_": "\n\t\"'${x}<>&日本語" + x(20000)}, LogRetention: 3653},
		Deploy:        Deploy{Bucket: x(61) + ".x", KeyPrefix: "!_.'()-/" + x(503), CacheControl: strings.Repeat("public,", 142) + "public", EncryptionKeyARN: "arn:aws:kms:ap-southeast-5:" + account + ":key/mrk-" + x(32)},
		Invalidate:    Invalidate{DistributionID: "E" + strings.Repeat("X", 19), Paths: []string{"/" + x(800), "#" + strings.Repeat("!", 20)}, LogRetention: 3653},
		Notifications: Notifications{Emails: several(2, "!#$%%&'*+/=?^_`|~-%d@"+x(63)+".dev"), TopicARN: "arn:aws:sns:ap-southeast-5:" + account + ":" + x(256)},
		ExecutionMode: Queued,
	},
	{
		Name: "b", Account: account, Region: "sa-east-1",
		Source:       GitHubToken{Owner: "x", Repo: ".x", SecretName: "arn:aws:secretsmanager:sa-east-1:" + account + ":secret:/_+=.@-" + x(500) + "-AbCdEf", SecretField: "a.b_c-" + x(100), SecretVersion: x(64)},
		Build:        Build{NoCache: true, LogRetention: 1},
		Deploy:       Deploy{Bucket: "a.b"},
		Invalidate:   Invalidate{DistributionID: "E000000000"},
		PipelineType: V1,
	},
	{
		Name: "c", Region: "ap-southeast-1",
		Source:     GitHubToken{Owner: "x", Repo: "x", ParameterName: strings.Repeat("/p", 14) + "/" + x(932), Trigger: NoTrigger},
		Deploy:     Deploy{Bucket: "abc", CacheControl: `no-cache="Set-Cookie, X"`},
		Invalidate: Invalidate{DistributionID: "E000000001"},
	},
	{
		Name: "d" + x(99), Account: account, Region: "eu-west-1",
		Source: GitHubConnection{Owner: "x", Repo: "x", ConnectionARN: connectionARN, Trigger: Trigger{Tags: several(8, "%d"+x(254))}},
		Site: &Site{
			Domain: strings.Repeat("d.", 124) + "blog", RedirectFrom: several(99, "w%d.kzmorita.io"), CertificateARN: siteCertificate,
			Headers: Headers{
				HSTS:                  HSTS{MaxAge: 68 * 365 * 24 * time.Hour},
				ContentSecurityPolicy: "default-src " + x(1771),
				Others: map[string]string{
					"X-" + x(254): x(1783), "X-2": x(1783), "X-3": x(1783), "X-4": x(1783), "X-5": x(1783), "X-6": x(1000), "X-7": `"<>&`, "X-8": "x", "X-9": "x",
				},
			},
			Caching:       Caching{Immutable: several(37, "/%d/"+x(251)), Feeds: several(37, `*%d$~"'@:+&?`)},
			WebACLARN:     "arn:aws:wafv2:us-east-1:" + account + ":global/webacl/" + x(128) + "/" + uuid,
			AccessLogDays: maxAccessLogDays, MonthlyBudget: 1 << 50,
		},
		Notifications: Notifications{Emails: several(maxBudgetEmails, "m%d@blog.dev")},
	},
	{
		Name: "e", Region: "us-east-1",
		Source: modern.Source,
		Site: &Site{
			Domain: x(56) + ".zone.io", RedirectFrom: append(several(8, "w%d.zone.io"), strings.Repeat("e.", 122)+"zone.io"),
			HostedZone: HostedZone{ID: "Z" + strings.Repeat("X", 31), Name: "zone.io"}, AccessLogDays: 1, BucketRemoval: DeleteBucket,
		},
	},
	{
		Name: "least", Region: "us-east-1", Source: modern.Source, Notifications: modern.Notifications,
		Build:      Build{Timeout: minBuildTimeout, LogRetention: 1},
		Invalidate: Invalidate{Deadline: minDeadline, PollFor: minPollFor, LogRetention: 1},
		Schedule:   Schedule{Expression: "rate(15 minutes)"},
		Site:       &Site{Headers: Headers{HSTS: HSTS{MaxAge: time.Second}}, Caching: Caching{FeedsFor: time.Second, PagesFor: time.Second}, AccessLogDays: 1, MonthlyBudget: 1},
	},
	{
		Name: "most", Region: "us-east-1", Source: modern.Source, Notifications: modern.Notifications,
		Build:      Build{Timeout: maxBuildTimeout, LogRetention: 3653},
		Invalidate: Invalidate{Deadline: maxDeadline, PollFor: maxPollFor, LogRetention: 3653},
		Schedule:   Schedule{Expression: "rate(99999 days)"},
		Site:       &Site{Headers: Headers{HSTS: HSTS{MaxAge: maxHSTS}}, Caching: Caching{FeedsFor: maxKeptFor, PagesFor: maxKeptFor}, AccessLogDays: maxAccessLogDays},
	},
}

var extremeServices = slices.Concat([]Service{
	ExistingService{
		Name: "f" + x(48), Account: account, Region: "mx-central-1",
		DeployedBy: CodeDeployGroup{Application: ".+=,@-" + x(94), DeploymentGroup: x(100), Container: x(255), Port: 65535},
		Hook: Hook{
			Distributions: func() (all []Distribution) {
				for _, id := range several(maxDistributions, "E00000000000%d") {
					all = append(all, Distribution{ID: id, Paths: []string{"/" + x(330)}})
				}
				return all
			}(),
			Events: CodeDeploy.events(), LogRetention: 3653,
		},
		Notifications: Notifications{Emails: several(2, "m%d@blog.dev")},
	},
	ExistingService{
		Name: "g" + x(48), DeployedBy: ECSService{Cluster: x(255), Service: x(255)},
		Hook: Hook{Distributions: []Distribution{{ID: "E000000000"}}, Events: ECS.events()},
	},
	FargateService{
		Name: "h" + x(48), Account: account, Region: "us-west-2",
		Source: GitHubConnection{Owner: "x", Repo: "x", ConnectionARN: connectionARN},
		Container: Container{
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
			Dockerfile:    "日本語 \"'$x/" + x(500), Context: "a b", InitialImage: "public.ecr.aws/" + x(240), LogRetention: 3653,
		},
		DesiredCount: 100, StartTime: 15 * time.Minute,
		VPC: ExistingVPC{
			ID: "vpc-01234567", CIDR: "10.0.0.0/28", AvailabilityZones: strings.Fields("us-west-2a us-west-2b us-west-2c us-west-2d us-west-2-lax-1a us-west-2-lax-1b"),
			PublicSubnets: several(6, "subnet-0000000%d"), PrivateSubnets: several(6, "subnet-1000000%d"),
		},
		Cluster:       x(255),
		LoadBalancer:  LoadBalancer{AllowFrom: several(30, "%d.0.0.0/8"), TestPort: 65535, TestFrom: several(30, "192.0.2.%d/32")},
		AlarmNames:    append(several(7, "%d: \"<>&/日本語"+x(200)), x(255)),
		Hook:          Hook{Distributions: []Distribution{{ID: "E000000000"}}, OnFailure: RollBack},
		Notifications: Notifications{Emails: several(2, "m%d@blog.dev"), TopicARN: "arn:aws:sns:us-west-2:" + account + ":alerts"},
	},
	FargateService{
		Name: "i-", Region: "ap-southeast-7",
		Source:       GitHubToken{Owner: "x", Repo: "x", SecretName: "!", Trigger: Poll},
		Controller:   ECS,
		DesiredCount: 1,
		VPC:          NewVPC{CIDR: "192.168.255.0/24", NATGateways: 2},
		LoadBalancer: LoadBalancer{CertificateARN: "arn:aws:acm:ap-southeast-7:" + account + ":certificate/x", OriginPrefixListID: "pl-01234567", TestPort: 1},
		AlarmNames:   several(8, "%d"), Shift: Linear,
		Hook:          Hook{Distributions: []Distribution{{ID: "E000000000"}}, Events: ECS.events()},
		Notifications: Notifications{Emails: several(maxEmails, "m%d@blog.dev")},
	},
	FargateService{
		Name: "j" + x(48), Region: "ap-southeast-1",
		Source:    GitHubConnection{Owner: "x", Repo: "x", ConnectionARN: connectionARN},
		Container: Container{InitialImage: account + ".dkr.ecr.ap-southeast-1.amazonaws.com/" + x(200)},
		VPC:       NewVPC{CIDR: "192.168.255.0/24", AvailabilityZones: []string{"ap-southeast-1a", "ap-southeast-1c"}, PublicTasks: true},
		LoadBalancer: LoadBalancer{
			Internal: true, CertificateARN: "arn:aws:acm:ap-southeast-1:" + account + ":certificate/x", OriginPrefixListID: "pl-01234567",
			AllowFrom: []string{"100.64.0.0/10", "192.168.255.0/24"}, TestPort: 1,
		},
		Hook: Hook{Distributions: []Distribution{{ID: "E000000000"}}},
	},
	FargateService{
		Name: "k", Source: GitHubConnection{Owner: "x", Repo: "x", ConnectionARN: connectionARN},
		VPC:          NewVPC{AvailabilityZones: []string{"us-east-1a", "us-east-1f"}, NATGateways: 2},
		LoadBalancer: LoadBalancer{Internal: true, OriginPrefixListID: "pl-01234567"},
		Controller:   ECS,
		Hook:         Hook{Distributions: []Distribution{{ID: "E000000000"}}},
	},
}, extremeNumbers(CodeDeploy, maxCodeDeployDeadline), extremeNumbers(ECS, maxDeadline))

// extremeNumbers are the services of a controller whose numbers are the least and the
// most.
func extremeNumbers(controller Controller, latest time.Duration) []Service {
	edges := []Distribution{{ID: "E000000000"}}
	name := "codedeploy"
	var least, most Deployer = CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: "c", Port: 1}, CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: "c", Port: 65535}
	fewest, greatest := 1, maxDesiredCount
	if controller == ECS {
		name, least, most = "ecs", ECSService{Cluster: "c", Service: "s"}, ECSService{Cluster: "c", Service: "s"}
		fewest, greatest = 0, 0 // Scaling sets them
	}
	return []Service{
		ExistingService{Name: name + "-least", DeployedBy: least, Hook: Hook{Distributions: edges, Deadline: minDeadline, LogRetention: 1}},
		ExistingService{Name: name + "-most", DeployedBy: most, Hook: Hook{Distributions: edges, Deadline: latest, LogRetention: 3653}},
		FargateService{
			Name: name + "-made-least", Source: modern.Source, Controller: controller, Build: ImageBuild{Timeout: minBuildTimeout, LogRetention: 1},
			Container: Container{Port: 1, CPU: 256, MemoryMiB: 512, LogRetention: 1, InitialImage: "public.ecr.aws/docker/library/httpd:2.4.65"},
			VPC:       NewVPC{NATGateways: 1}, LoadBalancer: LoadBalancer{TestPort: 1},
			DesiredCount: fewest, Scaling: Scaling{MinTasks: 1, MaxTasks: 1, CPUPercent: 1, RequestsPerTask: 1}, StartTime: minStartTime, KeepOld: minKeepOld, MaxErrorPercent: 1,
			Hook: Hook{Distributions: edges, Deadline: minDeadline, LogRetention: 1},
		},
		FargateService{
			Name: name + "-made-most", Source: modern.Source, Controller: controller, Shift: Linear, Build: ImageBuild{Timeout: maxBuildTimeout, LogRetention: 3653},
			Container: Container{Port: 65535, CPU: 16384, MemoryMiB: 122880, LogRetention: 3653, InitialImage: "public.ecr.aws/docker/library/httpd:2.4.65"},
			VPC:       NewVPC{NATGateways: 2}, LoadBalancer: LoadBalancer{TestPort: 65535},
			DesiredCount: greatest, Scaling: Scaling{MinTasks: maxDesiredCount, MaxTasks: maxDesiredCount, CPUPercent: 99, RequestsPerTask: math.MaxInt}, StartTime: maxStartTime, KeepOld: maxKeepOld, MaxErrorPercent: 100,
			Hook: Hook{Distributions: edges, Deadline: latest, LogRetention: 3653},
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
	if err := Validate(extremeBlogs, extremeServices); err != nil {
		t.Fatal(err)
	}
	synthElsewhere(t, extremes)
}

// synthElsewhere has another process make templates: each has one jsii kernel.
func synthElsewhere(t *testing.T, what string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	child.Dir = "stacks" // as go test has it
	child.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CDK_VALIDATION=") }), synthOnly+"="+what)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
}
