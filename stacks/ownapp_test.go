package stacks_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/delivery"
	"blog-deploy-pipeline/stacks/hook"
	"blog-deploy-pipeline/stacks/props"
	"blog-deploy-pipeline/stacks/service"
	"blog-deploy-pipeline/stacks/site"
)

// TestOwnApp uses the constructs as another CDK app would: in stacks that it made itself, with the
// exported API alone.
func TestOwnApp(t *testing.T) {
	dir := t.TempDir()
	for _, binary := range []string{"publish", "invalidate", "deployhook"} {
		folder := filepath.Join(dir, "dist", binary)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "bootstrap"), []byte("stands for the binary"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir) // An app runs where dist/ is.

	outdir := filepath.Join(dir, "cdk.out")
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir: &outdir, AnalyticsReporting: jsii.Bool(false),
		// With it a stack may use what is in another region's stack.
		Context: &map[string]any{"@aws-cdk/core:defaultCrossStackReferences": "weak"},
	})
	newStack := func(id, region string) awscdk.Stack {
		return awscdk.NewStack(app, jsii.String(id), &awscdk.StackProps{
			Env: &awscdk.Environment{Account: jsii.String("123456789012"), Region: jsii.String(region)},
		})
	}

	blog := props.Blog{
		Name: "travel", Account: "123456789012", Region: "eu-west-1",
		Source: props.GitHubConnection{
			Owner: "kzmorita", Repo: "travel",
			ConnectionARN: "arn:aws:codeconnections:eu-west-1:123456789012:connection/01234567-89ab-cdef-0123-456789abcdef",
		},
		Site: &props.Site{
			Domain:                 "travel.kzmorita.dev",
			HostedZone:             props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "kzmorita.dev"},
			AccessLogRetentionDays: 7,
		},
	}
	edge := newStack("Edge", "us-east-1")
	certificate := site.NewCertificate(edge, "Certificate", *blog.Site)
	web := newStack("Web", "eu-west-1")
	blogSite := site.NewSite(web, "Travel", site.Props{Site: *blog.Site, BlogName: blog.Name, Certificate: certificate})
	logs := site.NewAccessLogs(newStack("Logs", "us-east-1"), "Travel", site.AccessLogsProps{
		BlogName: blog.Name, Distribution: blogSite.Distribution, Bucket: blogSite.AccessLogBucket,
	})
	delivered := delivery.NewDelivery(newStack("Delivery", "eu-west-1"), "Travel", delivery.Props{Blog: blog, To: delivery.Destination{
		Bucket:         blogSite.Bucket,
		DistributionID: *blogSite.Distribution.DistributionId(),
		BaseURL:        blogSite.URL + "/",
	}})
	// What others add to a delivery: a permission for the build, and an alarm about the function.
	awsssm.StringParameter_FromStringParameterName(delivered.Construct, jsii.String("Key"), jsii.String("/travel/key")).GrantRead(delivered.BuildRole)
	awscloudwatch.NewAlarm(delivered.Construct, jsii.String("Errors"), &awscloudwatch.AlarmProps{
		Metric: delivered.PublishFunction.MetricErrors(nil), Threshold: jsii.Number(1), EvaluationPeriods: jsii.Number(1),
	})
	shop := hook.NewHook(newStack("Shop", "eu-west-1"), "CacheHook", hook.Props{
		Hook:        props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}},
		ServiceName: "shop",
		Controller:  props.ControllerCodeDeploy,
	})
	shop.GrantReport("shop", "shop-blue-green")
	api := service.NewService(newStack("API", "eu-west-1"), "API", props.FargateService{
		Name: "api", Source: blog.Source, VPC: props.NewVPC{AvailabilityZones: []string{"eu-west-1a", "eu-west-1b"}},
		LoadBalancer: props.LoadBalancer{Internal: true, OriginPrefixListID: "pl-4fa04526"},
		Hook:         props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZM"}}},
	})
	// What others add to a service: a database's security group in its network, which lets the tasks in.
	database := awsec2.NewSecurityGroup(api.Construct, jsii.String("Database"), &awsec2.SecurityGroupProps{Vpc: api.VPC})
	database.Connections().AllowFrom(api.ECSService, awsec2.Port_Tcp(jsii.Number(5432)), jsii.String("Tasks"))
	for name, missing := range map[string]bool{
		"Logs.Source": logs.Source == nil, "Delivery.BuildProject": delivered.BuildProject == nil,
		"Delivery.Releases": delivered.Releases == nil, "Delivery.InvalidateFunction": delivered.InvalidateFunction == nil,
		"Service.VPCOrigin": api.VPCOrigin == nil, "Service.BuildRole": api.BuildRole == nil, "Service.Repository": api.Repository == nil,
	} {
		if missing {
			t.Errorf("%s is nil", name)
		}
	}
	app.Synth(nil)

	loaded, err := assembly.Load(outdir)
	if err != nil {
		t.Fatal(err)
	}
	templates := map[string]*assembly.Template{}
	for _, template := range loaded {
		templates[template.Name] = template
	}

	resolve := func(stack string, v any) any {
		t.Helper()
		resolved, err := templates[stack].Resolve(v)
		if err != nil {
			t.Fatal(err)
		}
		return resolved
	}
	// resource returns the properties of a stack's only resource of a type.
	resource := func(stack, cfnType string) (properties map[string]any, id string) {
		t.Helper()
		found := templates[stack].OfType(cfnType)
		if len(found) != 1 {
			t.Fatalf("%s has %d resources of type %s, want 1", stack, len(found), cfnType)
		}
		return resolve(stack, found[0].Properties).(map[string]any), found[0].ID
	}
	// named returns the properties of a stack's resource of a type whose logical id begins with start.
	named := func(stack, cfnType, start string) (properties map[string]any, id string) {
		t.Helper()
		for _, found := range templates[stack].OfType(cfnType) {
			if strings.HasPrefix(found.ID, start) {
				return resolve(stack, found.Properties).(map[string]any), found.ID
			}
		}
		t.Fatalf("%s has no %s of type %s", stack, start, cfnType)
		return nil, ""
	}
	ref := func(stack, id string) string {
		t.Helper()
		return resolve(stack, map[string]any{"Ref": id}).(string)
	}
	certificateProperties, certificateID := resource("Edge", "AWS::CertificateManager::Certificate")
	bucket, bucketID := named("Web", "AWS::S3::Bucket", "TravelBucket")
	distribution, distributionID := resource("Web", "AWS::CloudFront::Distribution")
	pipeline, _ := resource("Delivery", "AWS::CodePipeline::Pipeline")
	build, _ := resource("Delivery", "AWS::CodeBuild::Project")
	function, _ := resource("Shop", "AWS::Lambda::Function")
	policy, _ := resource("Shop", "AWS::IAM::Policy")

	t.Run("the distribution uses the certificate of us-east-1", func(t *testing.T) {
		wantText(t, certificateProperties["DomainName"], "travel.kzmorita.dev")
		wantText(t, distribution["DistributionConfig"], "travel.kzmorita.dev", ref("Edge", certificateID))
	})
	t.Run("the bucket is private", func(t *testing.T) {
		access, ok := bucket["PublicAccessBlockConfiguration"].(map[string]any)
		for _, setting := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
			if !ok || access[setting] != true {
				t.Errorf("%s is %v", setting, access[setting])
			}
		}
	})
	t.Run("the pipeline publishes to the Site", func(t *testing.T) {
		var stages []string
		for _, stage := range pipeline["Stages"].([]any) {
			stages = append(stages, stage.(map[string]any)["Name"].(string))
		}
		if want := []string{"Source", "Build", "Deploy", "Invalidate"}; !slices.Equal(stages, want) {
			t.Errorf("the stages are %v, want %v", stages, want)
		}
		publish, id := named("Delivery", "AWS::Lambda::Function", "TravelPublish")
		wantText(t, publish["Environment"], contract.EnvSiteBucket+":"+ref("Web", bucketID))
		wantText(t, pipeline["Stages"], "FunctionName:"+ref("Delivery", id), strings.Trim(contract.JSON(contract.Distribution{ID: ref("Web", distributionID)}), "{}"))
		wantText(t, build["Environment"], "https://travel.kzmorita.dev/")
		invalidate, _ := named("Delivery", "AWS::Lambda::Function", "TravelInvalidate")
		wantText(t, invalidate["Environment"], contract.EnvVerify+":https://travel.kzmorita.dev")
	})
	t.Run("others add to the delivery", func(t *testing.T) {
		alarm, _ := resource("Delivery", "AWS::CloudWatch::Alarm")
		_, id := named("Delivery", "AWS::Lambda::Function", "TravelPublish")
		wantText(t, alarm["Dimensions"], ref("Delivery", id))
		policy, _ := named("Delivery", "AWS::IAM::Policy", "TravelBuildRole")
		wantText(t, policy["PolicyDocument"], ":parameter/travel/key")
	})
	t.Run("the logs are delivered from us-east-1", func(t *testing.T) {
		source, _ := resource("Logs", "AWS::Logs::DeliverySource")
		wantText(t, source["ResourceArn"], ref("Web", distributionID))
	})
	t.Run("others use the service's network", func(t *testing.T) {
		_, vpc := resource("API", "AWS::EC2::VPC")
		group, _ := named("API", "AWS::EC2::SecurityGroup", "APIDatabase")
		wantText(t, group["VpcId"], ref("API", vpc))
	})
	t.Run("the hook reports on its deployment group", func(t *testing.T) {
		wantText(t, function["FunctionName"], contract.HookFunctionName("shop"))
		wantText(t, policy["PolicyDocument"], ":deploymentgroup:shop/shop-blue-green", ":distribution/E2QWRUHAPOMQZL")
	})
}

// TestConstructsRefuse checks what a construct needs besides valid props. It refuses before it makes anything.
func TestConstructsRefuse(t *testing.T) {
	withDomain := props.Site{Domain: "travel.kzmorita.dev", HostedZone: props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "kzmorita.dev"}}
	blog := props.Blog{
		Name: "travel", Region: "eu-west-1", Site: &withDomain,
		Source: props.GitHubToken{Owner: "kzmorita", Repo: "travel", SecretName: "github"},
	}
	for _, tt := range []struct {
		name string
		make func()
		want string
	}{
		{"a Site with a Domain and no certificate", func() {
			site.NewSite(nil, "Travel", site.Props{Site: withDomain, BlogName: "travel"})
		}, `blog "travel" has a Site with a Domain, and site.Props has no Certificate`},
		{"a Site with a certificate and no Domain", func() {
			site.NewSite(nil, "Travel", site.Props{BlogName: "travel", Certificate: struct {
				awscertificatemanager.ICertificate
			}{}})
		}, `blog "travel" has a Site without a Domain, and site.Props has a Certificate`},
		{"a delivery of a Site without its bucket", func() {
			delivery.NewDelivery(nil, "Travel", delivery.Props{Blog: blog})
		}, `blog "travel" has a Site, and delivery.Props has no To`},
		{"a delivery that would clear no distribution", func() {
			delivery.NewDelivery(nil, "Travel", delivery.Props{Blog: blog, To: delivery.Destination{Bucket: struct{ awss3.IBucket }{}}})
		}, `the delivery of blog "travel" has only one of To.Bucket and To.DistributionID`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, tt.want) {
					t.Errorf("it panics with %q, want %q in it", got, tt.want)
				}
			}()
			tt.make()
		})
	}
}

// wantText looks for texts anywhere in decoded JSON.
func wantText(t *testing.T, v any, texts ...string) {
	t.Helper()
	all := fmt.Sprint(v)
	for _, text := range texts {
		if !strings.Contains(all, text) {
			t.Errorf("%q is not in %s", text, all)
		}
	}
}
