package calendar

import "strings"

// german has the texts of the pages by their English ones.
var german = map[string]string{
	"Your week, and nobody else’s business": "Ihre Woche geht sonst niemanden etwas an",
	"See your days at a glance. Apps that you allow in can find a free hour, and never read what the other hours are for.": "Ihre Tage auf einen Blick. Apps, die Sie zulassen, finden eine freie Stunde und lesen nie, was in den anderen steht.",
	"Sign in":                  "Anmelden",
	"You have been signed out": "Sie wurden abgemeldet",
	"Your login at signet is over, so your week is closed here as well.": "Ihre Anmeldung bei signet ist beendet, deshalb ist auch Ihre Woche hier geschlossen.",
	"This calendar knew %s ms later.":                                    "Dieser Kalender wusste es %s\u00a0ms später.",
	"Sign in again":                                                      "Wieder anmelden",
	"You are not signed in":                                              "Sie sind nicht angemeldet",
	"You went back before the end. Nothing was shared and nothing was changed.":   "Sie haben vorher abgebrochen. Nichts wurde weitergegeben und nichts geändert.",
	"This answer belongs to another visit":                                        "Diese Antwort gehört zu einem anderen Besuch",
	"It was asked for elsewhere or too long ago. Start again from here.":          "Sie wurde anderswo oder vor zu langer Zeit angefordert. Beginnen Sie hier von vorn.",
	"Signing in did not work":                                                     "Die Anmeldung hat nicht geklappt",
	"The answer could not be checked, so nobody was signed in. Please try again.": "Die Antwort ließ sich nicht prüfen, deshalb wurde niemand angemeldet. Bitte versuchen Sie es noch einmal.",
	"Back in a moment": "Gleich wieder da",
	"Your login cannot be checked right now, and unchecked nobody gets in.": "Ihre Anmeldung lässt sich gerade nicht prüfen, und ungeprüft kommt niemand hinein.",
	"Try again": "Noch einmal versuchen",

	"Week of %s":       "Woche %s",
	"Sign out":         "Abmelden",
	"What you see":     "Was Sie sehen",
	"What an app sees": "Was eine App sieht",
	"Busy":             "Belegt",
	"%s’s week":        "Woche von %s",
	"Your week":        "Ihre Woche",
	"today":            "heute",
	"added by %s":      "von %s",
	"Only you see these titles. Apps that you connect see what you allowed:": "Diese Titel sehen nur Sie. Verbundene Apps sehen, was Sie erlaubt haben:",
	"your connected apps": "Ihre verbundenen Apps",

	"Under the hood": "Unter der Haube",
	"The token behind this page was checked here, by this calendar itself, just now. Nobody was asked.": "Das Token hinter dieser Seite hat dieser Kalender gerade eben selbst geprüft. Niemand wurde gefragt.",
	"The token":   "Das Token",
	"who made it": "wer es ausgestellt hat",
	"only here: every other service refuses it":            "nur hier: Jeder andere Dienst weist es ab",
	"which app holds it: this page":                        "welche App es hat: diese Seite",
	"all that it allows":                                   "alles, was es erlaubt",
	"ends by itself in %s":                                 "endet von selbst in %s",
	"your login: signing out kills it":                     "Ihre Anmeldung: Abmelden macht es ungültig",
	"The checking, since this calendar started":            "Prüfungen, seit dieser Kalender läuft",
	"Requests of apps":                                     "Anfragen von Apps",
	"Tokens accepted":                                      "Angenommene Tokens",
	"Tokens refused":                                       "Abgewiesene Tokens",
	"Key downloads":                                        "Schlüssel geladen",
	"once in five minutes, however many come":              "einmal in fünf Minuten, wie viele auch kommen",
	"Questions about a token":                              "Fragen zu einem Token",
	"signet and its database are not asked":                "signet und seine Datenbank werden nicht gefragt",
	"Revocations known":                                    "Bekannte Widerrufe",
	"read up to number %d of the log, confirmed %d ms ago": "bis Nummer %d des Protokolls gelesen, vor %d\u00a0ms bestätigt",

	// The person's own entries.
	"Doctor":                  "Arzttermin",
	"Budget review":           "Budget prüfen",
	"Marriage counselling":    "Paarberatung",
	"Job interview":           "Bewerbungs\u00adgespräch",
	"Call the bank: the loan": "Bank anrufen: der Kredit",
	"Therapy":                 "Therapie",
	"Lunch with Mum":          "Mittagessen mit Mama",
	"Piano lesson":            "Klavierstunde",
	"Lawyer":                  "Anwaltstermin",
	"Team planning":           "Teamplanung",
	"Dentist":                 "Zahnarzt",
	"School: Mia’s teacher":   "Schule: Mias Lehrerin",

	// Layouts of dates.
	"Monday":         "Monday",
	"2 Jan":          "2.1.",
	"2 January":      "2. January",
	"2 January 2006": "2. January 2006",
}

var germanNames = strings.NewReplacer(
	"Monday", "Montag", "Tuesday", "Dienstag", "Wednesday", "Mittwoch", "Thursday", "Donnerstag", "Friday", "Freitag",
	"January", "Januar", "February", "Februar", "March", "März", "May", "Mai", "June", "Juni", "July", "Juli",
	"October", "Oktober", "December", "Dezember",
)
