package web

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/signet-id/signet/internal/idp"
)

// permissions tells scopes in words.
type permissions struct{ directory Directory }

// A permission is a scope in words.
type permission struct {
	Scope  string
	Title  string
	Detail string // may be empty
	In     string // the language of title and detail, if it is not the page's
	Place  string // the resource's name, if it is not the one asked for
	Raw    bool   // nobody has registered words: the title is the scope's name
}

// A permissionList is grouped by what it does.
type permissionList struct {
	Resource string // the resource's name; empty: our own account data
	Read     []permission
	Write    []permission
	Lasting  []permission // for how long
	Never    []permission // the resource's other scopes
}

// tell puts scopes into words. A scope that nobody knows is shown by its name, among
// those that change something: what is allowed is never hidden (OAU-16).
func (p permissions) tell(ctx context.Context, words words, resource string, scopes []string) (permissionList, error) {
	var list permissionList
	target, err := p.directory.Resource(ctx, resource)
	if err != nil && !errors.Is(err, idp.ErrNotFound) { // not found: the resource is we ourselves, or gone
		return list, fmt.Errorf("resource: %w", err)
	}
	list.Resource = oneLine(target.Name, maxName)
	for _, name := range scopes {
		if slices.Contains(idp.IssuerScopes[:], name) {
			list.addOurs(words, name)
			continue
		}
		owner, err := p.directory.ResourceByScope(ctx, name)
		if err != nil && !errors.Is(err, idp.ErrNotFound) {
			return list, fmt.Errorf("scope: %w", err)
		}
		list.add(words, owner, target, name)
	}
	for _, scope := range target.Scopes {
		if !slices.Contains(scopes, scope.Name) {
			list.Never = append(list.Never, words.tell(scope))
		}
	}
	return list, nil
}

// add appends the scope of a resource.
func (l *permissionList) add(words words, owner, target idp.Resource, name string) {
	i := slices.IndexFunc(owner.Scopes, func(s idp.Scope) bool { return s.Name == name })
	if i < 0 {
		l.Write = append(l.Write, permission{Scope: name, Title: oneLine(name, maxName), Raw: true})
		return
	}
	scope := owner.Scopes[i]
	told := words.tell(scope)
	if owner.ID != target.ID {
		told.Place = oneLine(owner.Name, maxName)
	}
	if scope.Write {
		l.Write = append(l.Write, told)
	} else {
		l.Read = append(l.Read, told)
	}
}

// tell says title and detail in one language: this one if it has all that English has,
// else English.
func (w words) tell(s idp.Scope) permission {
	in := func(lang string) permission {
		return permission{Scope: s.Name, Title: oneLine(s.Title[lang], maxText), Detail: oneLine(s.Detail[lang], maxText)}
	}
	told, english := in(w.Lang), in("en")
	if told.Title == "" || told.Detail == "" && english.Detail != "" {
		told = english
		told.In = "en"
	}
	if told.Title == "" {
		told.Title, told.In = oneLine(s.Name, maxText), ""
	}
	return told
}

// addOurs appends a scope of our own (OpenID Connect Core §5.4, §11).
func (l *permissionList) addOurs(words words, name string) {
	told := permission{Scope: name, Title: words.T("scope." + name + ".title"), Detail: words.T("scope." + name + ".detail")}
	if name == idp.ScopeOfflineAccess {
		l.Lasting = append(l.Lasting, told)
	} else {
		l.Read = append(l.Read, told)
	}
}

// split parts what was allowed before from what is new.
func (l permissionList) split(before []string) (old, asked permissionList) {
	old.Resource, asked.Resource = l.Resource, l.Resource
	old.Read, asked.Read = splitOne(l.Read, before)
	old.Write, asked.Write = splitOne(l.Write, before)
	old.Lasting, asked.Lasting = splitOne(l.Lasting, before)
	return old, asked
}

func splitOne(list []permission, before []string) (old, asked []permission) {
	for _, p := range list {
		if slices.Contains(before, p.Scope) {
			old = append(old, p)
		} else {
			asked = append(asked, p)
		}
	}
	return old, asked
}

// Empty reports that there is nothing in it.
func (l permissionList) Empty() bool { return len(l.All()) == 0 }

// All is what may be read, what may be changed, and for how long.
func (l permissionList) All() []permission { return slices.Concat(l.Read, l.Write, l.Lasting) }

func (l permissionList) titles() []string {
	var titles []string
	for _, p := range l.All() {
		titles = append(titles, p.Title)
	}
	return titles
}

// A group and told carry the texts along with what a template is given.
type group struct {
	words
	List permissionList
}

type told struct {
	words
	permission
}

// Permissions pairs a list with the language.
func (w words) Permissions(l permissionList) group { return group{w, l} }

// Told pairs a permission with the language.
func (w words) Told(p permission) told { return told{w, p} }
