"""The ground floor: one SQLite database and one folder of recordings for each workspace. `Store` opens them, functions
that take it first read (`load_*`) and write; every call uses a connection of its own, so any thread may call, and
writers wait for each other. Errors are those of `StoreError`'s tree. No call goes to the network."""
