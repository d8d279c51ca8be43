package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/store"
)

var directoryTests = []test{
	{"a directory is never behind, with and without its follower", directoryFollows},
	{"a directory asks the database for what it does not hold", directoryMisses},
}

func directoryFollows(w *world) {
	d := store.NewDirectory(w.DB)
	check := func(when string) {
		w.Helper()
		for i := range 50 {
			c := idp.Client{ID: fmt.Sprint("c", i%7), CreatedAt: start, ClientMetadata: idp.ClientMetadata{Name: fmt.Sprint(when, i), Origins: []string{fmt.Sprint("https://o", i%7)}}}
			w.must(w.PutClient(w.ctx, operator, c, start))
			got, err := d.Client(w.ctx, c.ID)
			w.must(err)
			w.equal(when+": client", got, c)
			r := calendar()
			r.Name, r.Scopes[0].Name = fmt.Sprint(when, i), fmt.Sprint("scope", i)
			w.must(w.PutResource(w.ctx, operator, r, start))
			res, err := d.ResourceByScope(w.ctx, r.Scopes[0].Name)
			w.must(err)
			w.equal(when+": resource by scope", res, r)
			res, err = d.Resource(w.ctx, r.ID)
			w.must(err)
			w.equal(when+": resource", res, r)
			_, err = d.ResourceByScope(w.ctx, fmt.Sprint("scope", i-1))
			w.want(when+": scope that is gone", err, idp.ErrNotFound)
			all, err := d.Resources(w.ctx)
			w.must(err)
			w.equal(when+": resources", all, []idp.Resource{r})
		}
		w.must(w.DisableClient(w.ctx, operator, "c3", start))
		o, err := d.Origins(w.ctx)
		w.must(err)
		w.equal(when+": origins", []bool{o["https://o1"], o["https://o3"], o["https://evil"]}, []bool{true, false, false})
		w.must(w.EnableClient(w.ctx, operator, "c3", start))
		c, err := d.Client(w.ctx, "c3")
		w.must(err)
		w.equal(when+": enabled", c.Disabled(), false)
	}
	check("alone")
	ctx, stop := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	check("followed")
	w.client("gone")
	w.must(w.DeleteClient(w.ctx, operator, "gone", start))
	_, err := d.Client(w.ctx, "gone")
	w.want("deleted", err, idp.ErrNotFound)
	stop()
	w.want("end of Run", <-ended, context.Canceled)
	check("left alone")
}

func directoryMisses(w *world) {
	d := store.NewDirectory(w.DB)
	ctx, stop := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			w.Error(err)
		}
	}()
	for i := range 20 {
		id := fmt.Sprint("new", i)
		_, err := d.Client(w.ctx, id)
		w.want("miss", err, idp.ErrNotFound)
		_, err = d.Resource(w.ctx, "https://"+id)
		w.want("miss", err, idp.ErrNotFound)
		w.client(id)
		_, err = d.Client(w.ctx, id)
		w.want("no miss is remembered", err, nil)
	}
}
