package cli

import (
	"crypto/sha256"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/server"
)

// devAddresses are where the development stack lives.
type devAddresses struct {
	issuer, calendar, scheduler string
	console                     string // opens it, once; empty: there is none
}

// The people and apps of the development stack.
const (
	devPassword  = "correct horse battery staple"
	devCalendar  = "calendar"
	devScheduler = "friendly-scheduler"
	devReports   = "reports"
	devClock     = "desk-clock"
)

// The rights at the demo's calendar.
const (
	scopeFreeBusy = "calendar.freebusy:read"
	scopeMeetings = "calendar.meetings:write"
	scopeEvents   = "calendar.events:read"
	scopeSettings = "calendar.settings:write"
)

// devSecret is the secret of a demo client. It can be worked out by anybody, so that
// the printed commands stay the same: it only ever opens a server on loopback, whose
// tokens no other server accepts.
func devSecret(clientID string) secret.Text {
	return secret.FromBytes(secret.ClientSecret, sha256.Sum256([]byte("signet dev client "+clientID)))
}

// devSeed is what a development stack starts with.
func devSeed(at devAddresses) server.Seed {
	return server.Seed{
		Users:     []server.SeedUser{{User: ann(), Password: devPassword}, {User: bob(), Password: devPassword}},
		Resources: []idp.Resource{calendarResource(at)},
		Clients:   []idp.Client{calendarClient(at), schedulerClient(at), reportsClient(), clockClient()},
	}
}

// ann has every claim that OpenID Connect Core §5.1 knows, for trying out clients.
func ann() idp.User {
	return idp.User{
		ID: secret.ID(), Username: "ann", Email: "ann@example.com", EmailVerified: true,
		Groups: []string{"staff", "book-club"},
		Profile: idp.Profile{
			Name: "Ann Example", GivenName: "Ann", FamilyName: "Example", MiddleName: "Louise", Nickname: "Annie",
			Profile: "https://example.com/ann", Picture: "https://example.com/ann.png", Website: "https://ann.example.com/",
			Gender: "female", Birthdate: "1990-05-14", Zoneinfo: "Europe/Berlin", Locale: "en-GB",
			PhoneNumber: "+493023125000", PhoneNumberVerified: true,
			Address: &idp.Address{
				Formatted:     "Ann Example\nExample Street 1\n10115 Berlin\nGermany",
				StreetAddress: "Example Street 1", Locality: "Berlin", Region: "Berlin", PostalCode: "10115", Country: "Germany",
			},
		},
	}
}

func bob() idp.User {
	return idp.User{
		ID: secret.ID(), Username: "bob", Email: "bob@example.com", EmailVerified: true,
		Groups:  []string{"book-club"},
		Profile: idp.Profile{Name: "Bob Example", GivenName: "Bob", FamilyName: "Example", Locale: "de-DE", Zoneinfo: "Europe/Berlin"},
	}
}

func calendarResource(at devAddresses) idp.Resource {
	text := func(en, de string) map[string]string { return map[string]string{"en": en, "de": de} }
	return idp.Resource{
		ID: at.calendar, Name: "Calendar", TokenFormat: "jwt", Alg: "EdDSA",
		Scopes: []idp.Scope{
			{
				Name:   scopeFreeBusy,
				Title:  text("See when you are busy", "Sehen, wann Sie beschäftigt sind"),
				Detail: text("Not titles, guests or places.", "Keine Titel, Gäste oder Orte."),
			},
			{
				Name:   scopeMeetings,
				Title:  text("Add meetings to your calendar", "Termine in Ihren Kalender eintragen"),
				Detail: text("And change or cancel the ones it added.", "Und die selbst eingetragenen ändern oder absagen."),
				Write:  true,
			},
			{
				Name:   scopeEvents,
				Title:  text("Read your events", "Ihre Termine lesen"),
				Detail: text("With titles, guests and places.", "Mit Titeln, Gästen und Orten."),
			},
			{
				Name:  scopeSettings,
				Title: text("Change the settings of your calendar", "Die Einstellungen Ihres Kalenders ändern"),
				Write: true,
			},
		},
	}
}

func calendarClient(at devAddresses) idp.Client {
	return idp.Client{
		ID: devCalendar, SecretHash: secret.Hash("client_secret", devSecret(devCalendar)),
		ClientMetadata: idp.ClientMetadata{
			Name: "Calendar", FirstParty: true, ApplicationType: "web",
			TokenEndpointAuthMethod: idp.AuthBasic, Profile: idp.OAuth21,
			RedirectURIs:           []string{at.calendar + "/callback"},
			PostLogoutRedirectURIs: []string{at.calendar + "/"},
			GrantTypes:             []string{idp.GrantAuthorizationCode, idp.GrantRefreshToken},
			Scopes:                 []string{idp.ScopeOpenID, idp.ScopeProfile, scopeEvents, scopeMeetings, scopeFreeBusy, scopeSettings},
			ClientURI:              at.calendar + "/",
		},
	}
}

// schedulerClient is somebody else's app, so people are asked; offline_access because
// it looks for free hours when they are not there.
func schedulerClient(at devAddresses) idp.Client {
	return idp.Client{
		ID: devScheduler, SecretHash: secret.Hash("client_secret", devSecret(devScheduler)),
		ClientMetadata: idp.ClientMetadata{
			Name: "Friendly Scheduler", ApplicationType: "web",
			TokenEndpointAuthMethod: idp.AuthBasic, Profile: idp.OAuth21,
			RedirectURIs: []string{at.scheduler + "/callback"},
			GrantTypes:   []string{idp.GrantAuthorizationCode, idp.GrantRefreshToken},
			Scopes:       []string{scopeFreeBusy, scopeMeetings, idp.ScopeOfflineAccess},
			ClientURI:    at.scheduler + "/",
		},
	}
}

// reportsClient is a service without a person: its token is one curl away.
func reportsClient() idp.Client {
	return idp.Client{
		ID: devReports, SecretHash: secret.Hash("client_secret", devSecret(devReports)),
		ClientMetadata: idp.ClientMetadata{
			Name: "Reports", ApplicationType: "web",
			TokenEndpointAuthMethod: idp.AuthBasic, Profile: idp.OAuth21,
			GrantTypes: []string{idp.GrantClientCredentials},
			Scopes:     []string{scopeFreeBusy},
		},
	}
}

// clockClient is a device without a browser that shows when its person is busy.
func clockClient() idp.Client {
	return idp.Client{
		ID: devClock,
		ClientMetadata: idp.ClientMetadata{
			Name: "Desk Clock", ApplicationType: "native",
			TokenEndpointAuthMethod: idp.AuthNone, Profile: idp.OAuth21,
			GrantTypes: []string{idp.GrantDeviceCode, idp.GrantRefreshToken},
			Scopes:     []string{scopeFreeBusy, idp.ScopeOfflineAccess},
		},
	}
}
