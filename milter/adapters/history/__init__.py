"""Memory of engagements in a store: SQLite for one machine, Redis for any number of gateways.

- `sealed`: implements `ports.History`; hashes keys, seals values, tries older keys.
- `store`: what a store must do; it sees opaque octets only. One contract suite for all of them.
- `codec`: events and origins to octets and back.
- `sqlite_store`, `redis_store`: the two stores; Redis is spoken with by `redis_client`, what lies
  there and the scripts that change it are in `redis_records`.
"""
