"""Many nodes, one bucket: `serve` over Ceph's radosgw, and over a fake with the rules of Cloudflare R2."""
