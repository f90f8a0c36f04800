package props_test

import (
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestLoadBalancerRefuses(t *testing.T) {
	balancer := func(change func(*props.LoadBalancer)) func(*props.FargateService) {
		return func(s *props.FargateService) { change(&s.LoadBalancer) }
	}
	wantRefusals(t, fixtures.API, []refusal[props.FargateService]{
		{"certificate's domain", balancer(func(l *props.LoadBalancer) { l.CertificateARN = "api.example.com" }), "LoadBalancer.CertificateARN"},
		{"CloudFront's certificate", func(s *props.FargateService) {
			*s = fixtures.Store
			s.LoadBalancer.CertificateARN = strings.Replace(s.LoadBalancer.CertificateARN, "ap-northeast-1", "us-east-1", 1)
		}, "must be in the service's Region, ap-northeast-1"},
		{"certificate of another account", func(s *props.FargateService) {
			*s = fixtures.Store
			s.LoadBalancer.CertificateARN = strings.Replace(s.LoadBalancer.CertificateARN, fixtures.Account, "999999999999", 1)
		}, "must be in the service's Account"},
		{"no redirect without a certificate", balancer(func(l *props.LoadBalancer) { l.NoRedirect = true }), "LoadBalancer.NoRedirect is true: needs a LoadBalancer.CertificateARN"},
		{"allowed address", balancer(func(l *props.LoadBalancer) { l.AllowFrom = []string{"192.0.2.1"} }), `LoadBalancer.AllowFrom[0] is "192.0.2.1"`},
		{"allowed twice", balancer(func(l *props.LoadBalancer) { l.AllowFrom = []string{"192.0.2.0/24", "192.0.2.0/24"} }), `LoadBalancer.AllowFrom[1] is "192.0.2.0/24": is listed twice`},
		{"prefix list's name", balancer(func(l *props.LoadBalancer) { l.OriginPrefixListID = "com.amazonaws.global.cloudfront.origin-facing" }), "LoadBalancer.OriginPrefixListID"},
		{"internal without CloudFront", func(s *props.FargateService) {
			s.VPC, s.LoadBalancer = fixtures.Cheap.VPC, props.LoadBalancer{Internal: true}
		}, `LoadBalancer.OriginPrefixListID is "": must be the id of com.amazonaws.global.cloudfront.origin-facing`},
		{"internal for all", func(s *props.FargateService) {
			*s = fixtures.Cheap
			s.LoadBalancer.AllowFrom = []string{"10.0.0.0/8", "0.0.0.0/0"}
		}, `LoadBalancer.AllowFrom[1] is "0.0.0.0/0": must be a private range`},
		{"internal for a tester outside", func(s *props.FargateService) {
			*s = fixtures.Cheap
			s.LoadBalancer.TestFrom = []string{"198.51.100.7/32"}
		}, `LoadBalancer.TestFrom[0] is "198.51.100.7/32": must be a private range`},
		{"too many rules", balancer(func(l *props.LoadBalancer) { l.AllowFrom = fixtures.Several(60, "192.0.2.%d/32") }), `LoadBalancer.AllowFrom is "60 ranges": with the others there are 61 rules, and a security group allows 60`},
		{"test port of production", balancer(func(l *props.LoadBalancer) { l.TestPort = 443 }), "LoadBalancer.TestPort is 443: is a port of production"},
		{"test port", balancer(func(l *props.LoadBalancer) { l.TestPort = 70000 }), "from 1 to 65535"},
		{"tester", balancer(func(l *props.LoadBalancer) { l.TestFrom = []string{"me"} }), `LoadBalancer.TestFrom[0] is "me"`},
	})
}
