package stacks

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestDomain(t *testing.T) {
	made := func(id string) func(*testing.T) any {
		return func(t *testing.T) any {
			tmpl := stackTemplate(t, id)
			return at(t, tmpl, map[string]any{"Ref": tmpl.OfType("AWS::CertificateManager::Certificate")[0].ID})
		}
	}
	given := func(*testing.T) any { return fixtures.SiteCertificate }
	for _, tt := range []struct {
		props       props.Blog
		names       []any
		certificate func(*testing.T) any
		records     []string
		url         string
	}{
		{fixtures.Tokyo, []any{"kzmorita.dev", "www.kzmorita.dev", "blog.kzmorita.dev"}, made("tokyo-certificate"), []string{
			"A blog.kzmorita.dev.", "A kzmorita.dev.", "A www.kzmorita.dev.",
			"AAAA blog.kzmorita.dev.", "AAAA kzmorita.dev.", "AAAA www.kzmorita.dev.",
		}, "https://kzmorita.dev"},
		{fixtures.Virginia, []any{"notes.kzmorita.dev"}, made("virginia-site"), []string{"A notes.kzmorita.dev.", "AAAA notes.kzmorita.dev."}, "https://notes.kzmorita.dev"},
		{fixtures.Elsewhere, []any{"blog.kzmorita.io", "kzmorita.io"}, given, nil, "https://blog.kzmorita.io"},
		{fixtures.Complete, []any{"complete.kzmorita.dev", "www.complete.kzmorita.dev"}, given, []string{
			"A complete.kzmorita.dev.", "A www.complete.kzmorita.dev.", "AAAA complete.kzmorita.dev.", "AAAA www.complete.kzmorita.dev.",
		}, "https://complete.kzmorita.dev"},
	} {
		t.Run(tt.props.Name, func(t *testing.T) {
			tmpl := siteTemplate(t, tt.props)
			config := distributionConfig(t, tmpl)
			equal(t, "aliases", config["Aliases"], tt.names)
			equal(t, "certificate", config["ViewerCertificate"], map[string]any{
				"AcmCertificateArn": tt.certificate(t), "MinimumProtocolVersion": "TLSv1.2_2021", "SslSupportMethod": "sni-only",
			})
			var records []string
			for _, record := range tmpl.OfType("AWS::Route53::RecordSet") {
				resolved := at(t, tmpl, record.Properties).(map[string]any)
				records = append(records, fmt.Sprint(resolved["Type"], " ", resolved["Name"]))
				equal(t, "zone", resolved["HostedZoneId"], tt.props.Site.HostedZone.ID)
				target := resolved["AliasTarget"].(map[string]any)
				equal(t, "target", target["DNSName"], at(t, tmpl, tmpl.Outputs["DistributionDomainName"].Value))
				equal(t, "target's zone", target["HostedZoneId"], "Z2FDTNDATAQYW2") // CloudFront's
			}
			slices.Sort(records)
			equal(t, "records", records, tt.records)
			equal(t, "output URL", at(t, tmpl, tmpl.Outputs["URL"].Value), tt.url)
		})
	}

	tmpl := siteTemplate(t, fixtures.Bare)
	config := distributionConfig(t, tmpl)
	for _, key := range []string{"Aliases", "ViewerCertificate"} {
		if config[key] != nil {
			t.Errorf("without a domain: %s is %v, want none", key, config[key])
		}
	}
	equal(t, "output URL", at(t, tmpl, tmpl.Outputs["URL"].Value), "https://"+at(t, tmpl, tmpl.Outputs["DistributionDomainName"].Value).(string))
	if got, want := siteTemplate(t, fixtures.Elsewhere).Outputs["DistributionDomainName"].Description, "for blog.kzmorita.io, kzmorita.io"; !strings.HasSuffix(got, want) {
		t.Errorf("output is described as %q, want who makes records to read %q", got, want)
	}
}

func TestCertificateIsForAllNames(t *testing.T) {
	for id, want := range map[string][]any{
		"tokyo-certificate": {"kzmorita.dev", "www.kzmorita.dev", "blog.kzmorita.dev"},
		"virginia-site":     {"notes.kzmorita.dev"},
	} {
		certificate := stackTemplate(t, id).OfType("AWS::CertificateManager::Certificate")[0]
		properties := certificate.Properties
		others, _ := properties["SubjectAlternativeNames"].([]any)
		equal(t, id+"'s names", append([]any{properties["DomainName"]}, others...), want)
		equal(t, id+"'s validation", properties["ValidationMethod"], "DNS")
		var validated []any
		for _, option := range properties["DomainValidationOptions"].([]any) {
			validated = append(validated, option.(map[string]any)["DomainName"])
			equal(t, id+"'s zone", option.(map[string]any)["HostedZoneId"], "Z0123456789ABCDEFGHIJ")
		}
		equal(t, id+"'s validated names", validated, want)
	}
	// The certificate is kept only if the distribution of another stack still uses it.
	equal(t, "tokyo's certificate when it is replaced", stackTemplate(t, "tokyo-certificate").OfType("AWS::CertificateManager::Certificate")[0].UpdateReplacePolicy, "Retain")
	equal(t, "virginia's certificate when it is replaced", stackTemplate(t, "virginia-site").OfType("AWS::CertificateManager::Certificate")[0].UpdateReplacePolicy, "")
}
