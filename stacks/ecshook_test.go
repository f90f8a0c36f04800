package stacks

import "time"

// The services that exist already. Between them they set every prop.
var (
	shop = ExistingService{
		Name:          "shop",
		DeployedBy:    CodeDeployGroup{Application: "shop", DeploymentGroup: "shop-blue-green", Container: "web", Port: 80},
		Hook:          Hook{Distributions: []Distribution{{ID: "E2QWRUHAPOMQZL"}}},
		Notifications: Notifications{Emails: []string{"me@shop.dev"}},
	}
	checkout = ExistingService{
		Name: "checkout", Account: account, Region: "ap-northeast-1",
		DeployedBy: CodeDeployGroup{Application: "AppECS-production-checkout", DeploymentGroup: "DgpECS-production-checkout", Container: "nginx", Port: 8080},
		Hook: Hook{
			Distributions: []Distribution{
				{ID: "E2QWRUHAPOMQZM", Paths: []string{"/checkout/*", "#prices"}},
				{ID: "E2QWRUHAPOMQZN"},
			},
			Events: []HookEvent{AfterAllowTestTraffic, AfterAllowTraffic}, OnFailure: RollBack,
			Deadline: 14 * time.Minute, NoWait: true, LogRetention: 7,
		},
		Notifications: Notifications{TopicARN: "arn:aws:sns:ap-northeast-1:" + account + ":alerts"},
	}
	news = ExistingService{
		Name:       "news",
		DeployedBy: ECSService{Cluster: "production", Service: "news"},
		Hook:       Hook{Distributions: []Distribution{{ID: "E2QWRUHAPOMQZP"}}},
	}
	feed = ExistingService{
		Name:       "feed",
		DeployedBy: ECSService{Cluster: "production", Service: "feed-v2"},
		Hook: Hook{
			Distributions: []Distribution{{ID: "E2QWRUHAPOMQZQ", Paths: []string{"/feed.xml"}}},
			Events:        []HookEvent{PostProductionTrafficShift}, OnFailure: RollBack, Deadline: 23 * time.Hour,
		},
		Notifications: Notifications{Emails: []string{"me@feed.dev"}, TopicARN: "arn:aws:sns:us-east-1:" + account + ":alerts"},
	}
)

var existingFixtures = []Service{shop, checkout, news, feed}
