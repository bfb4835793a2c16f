import GRDB

extension DatabaseMigrator {
  /// The schema, step by step. A step that has been released is never edited.
  static var uploadIndex: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 uploads, slots, storage") { db in
      try db.execute(
        sql: """
          -- One row per upload, kept until its id has expired (after that the id itself says so).
          CREATE TABLE upload (
            id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            name TEXT CHECK (length(CAST(name AS BLOB)) BETWEEN 1 AND 255),
            content_type TEXT NOT NULL CHECK (length(content_type) BETWEEN 1 AND 255),
            size INTEGER NOT NULL CHECK (size >= 0),
            sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL CHECK (expires_at >= created_at),
            -- NULL: any number of downloads until it expires.
            max_downloads INTEGER CHECK (max_downloads > 0),
            delete_token_hash BLOB NOT NULL CHECK (length(delete_token_hash) = 32),
            state TEXT NOT NULL CHECK (state IN ('available', 'consumed', 'deleted', 'blocked')),
            -- When the bytes must leave the store (milliseconds since 1970); NULL when they have left.
            blob_due INTEGER CHECK (blob_due <= expires_at)
          ) STRICT, WITHOUT ROWID;

          -- Cleanup reads only what is due: what has expired by its id, what ended earlier by this. (Uploads that are
          -- available are not in it: one page less to write for each.)
          CREATE INDEX upload_ended ON upload (blob_due) WHERE state <> 'available' AND blob_due IS NOT NULL;

          -- Uploads whose bytes may not have got their name yet, separated by spaces: a crash in between leaves a row
          -- without bytes. Looked at when the server starts.
          CREATE TABLE publication (one INTEGER PRIMARY KEY CHECK (one = 1), upload_ids TEXT NOT NULL) STRICT;

          -- One row per download that an upload allows, from its first use.
          CREATE TABLE slot (
            upload_id TEXT NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
            number INTEGER NOT NULL CHECK (number > 0),
            -- Leased: nonce and lease_until. Consumed: consumed_at. Free: neither.
            nonce INTEGER,
            lease_until INTEGER,
            lease_bytes INTEGER NOT NULL DEFAULT 0 CHECK (lease_bytes >= 0),
            consumed_at INTEGER,
            -- The nonce that consumed it, so that a sender that lost the answer can read it back.
            consumed_by INTEGER,
            -- Salted hash of the address that held the slot last.
            client BLOB,
            bytes_served INTEGER NOT NULL DEFAULT 0 CHECK (bytes_served >= 0),
            attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
            PRIMARY KEY (upload_id, number),
            CHECK ((nonce IS NULL) = (lease_until IS NULL)),
            CHECK (nonce IS NULL OR consumed_at IS NULL)
          ) STRICT, WITHOUT ROWID;

          -- The bytes in the store, kept by triggers so that nobody has to add them up.
          CREATE TABLE storage (one INTEGER PRIMARY KEY CHECK (one = 1), bytes INTEGER NOT NULL CHECK (bytes >= 0)) STRICT;
          INSERT INTO storage VALUES (1, 0);
          CREATE TRIGGER upload_stored AFTER INSERT ON upload WHEN NEW.blob_due IS NOT NULL
            BEGIN UPDATE storage SET bytes = bytes + NEW.size; END;
          CREATE TRIGGER upload_gone AFTER UPDATE OF blob_due ON upload WHEN OLD.blob_due IS NOT NULL AND NEW.blob_due IS NULL
            BEGIN UPDATE storage SET bytes = bytes - OLD.size; END;
          CREATE TRIGGER upload_removed AFTER DELETE ON upload WHEN OLD.blob_due IS NOT NULL
            BEGIN UPDATE storage SET bytes = bytes - OLD.size; END;

          -- The salt of the client hashes in slot: addresses themselves are never stored.
          CREATE TABLE secret (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
          INSERT INTO secret VALUES ('client-salt', randomblob(32));
          """)
    }
    migrator.registerMigration("2 journal of a node") { db in
      try db.execute(
        sql: """
          -- What this node owes the bucket. Losing it loses nothing: cleanup finds the objects when they have expired.
          CREATE TABLE owed_delete (
            id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            -- Of the object.
            key TEXT NOT NULL,
            -- Milliseconds since 1970.
            due INTEGER NOT NULL
          ) STRICT, WITHOUT ROWID;
          CREATE INDEX owed_delete_due ON owed_delete (due);

          -- Multipart uploads in flight, to be aborted after a crash.
          CREATE TABLE multipart (upload_id TEXT NOT NULL PRIMARY KEY, key TEXT NOT NULL) STRICT, WITHOUT ROWID;

          -- When objects of bashupload-r2 and bashupload-go expire, so that each is asked once.
          CREATE TABLE legacy_object (key TEXT NOT NULL PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
          CREATE INDEX legacy_object_expiry ON legacy_object (expires_at);
          """)
    }
    return migrator
  }
}
