"""The schema, as named migrations. One that has shipped is frozen: a change is a new one (`tests/store` holds
each one's hash and a dump of each shipped schema)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.store._m002 import m002_analysis

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

MIGRATION_SET = "heliograph"
APPLICATION_ID = 0x48656C69  # "Heli", in the file's header: tells our databases from other people's


def m001_first_schema(db: Database) -> None:
    """Participants, recordings, runs and what hangs on them, the worker's row; and, kept by triggers, counts,
    the recordings that wait, and each participant's trend."""
    db.executescript(
        """
        PRAGMA application_id = 1214606441;
        CREATE TABLE workspace (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            name TEXT NOT NULL,
            synthetic INTEGER NOT NULL CHECK (synthetic IN (0, 1)),
            created_utc TEXT NOT NULL
        ) STRICT;
        CREATE TABLE settings (
            key TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE participants (
            id INTEGER PRIMARY KEY,
            label TEXT NOT NULL UNIQUE,
            date_of_birth TEXT NOT NULL,
            birth_sex TEXT NOT NULL,
            language TEXT NOT NULL,
            accent TEXT,
            created_utc TEXT NOT NULL,
            updated_utc TEXT NOT NULL
        ) STRICT;
        CREATE INDEX participants_updated ON participants (updated_utc);
        CREATE TABLE participant_words (
            word TEXT NOT NULL,
            participant_id INTEGER NOT NULL REFERENCES participants (id) ON DELETE CASCADE,
            PRIMARY KEY (word, participant_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX participant_words_participant ON participant_words (participant_id);
        CREATE TABLE recordings (
            id TEXT PRIMARY KEY CHECK (length(id) = 64),
            file_name TEXT NOT NULL,
            media_type TEXT NOT NULL,
            byte_size INTEGER NOT NULL,
            source TEXT NOT NULL,
            duration_s REAL,
            speech_s REAL,
            level_dbfs REAL,
            peak_dbfs REAL,
            clipped_share REAL,
            snr_db REAL,
            bandwidth_hz REAL,
            missing_share REAL,
            sample_rate_hz INTEGER,
            channels INTEGER,
            wall_clock_s REAL,
            processing TEXT NOT NULL CHECK (json_valid(processing)),
            created_utc TEXT NOT NULL,
            purged_utc TEXT
        ) STRICT;
        CREATE TABLE runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            submission_key TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL CHECK (kind IN ('upload', 'activity')),
            participant_id INTEGER NOT NULL REFERENCES participants (id),
            recording_id TEXT REFERENCES recordings (id),
            repeats_run_id INTEGER REFERENCES runs (id) ON DELETE SET NULL,
            synthetic INTEGER NOT NULL CHECK (synthetic IN (0, 1)),
            date_of_birth TEXT NOT NULL,
            birth_sex TEXT NOT NULL,
            language TEXT NOT NULL,
            accent TEXT,
            asleep_local TEXT,
            awake_local TEXT,
            recorded_local TEXT,
            session_local TEXT NOT NULL,
            delete_data INTEGER NOT NULL CHECK (delete_data IN (0, 1)),
            data_to_delete TEXT CHECK (data_to_delete IS NULL OR json_valid(data_to_delete)),
            activity_type TEXT,
            quality_override TEXT,
            state TEXT NOT NULL,
            failure TEXT,
            failure_detail TEXT,
            thymia_id TEXT UNIQUE,
            thymia_status TEXT,
            upload_url TEXT,
            upload_url_expires_utc TEXT,
            activity_link TEXT,
            error_code TEXT,
            error_reason TEXT,
            warnings TEXT CHECK (warnings IS NULL OR json_valid(warnings)),
            queued_utc TEXT NOT NULL,
            created_utc TEXT,
            run_utc TEXT,
            completed_utc TEXT,
            deletion_due_utc TEXT,
            deleted_at_thymia_utc TEXT,
            purged_utc TEXT,
            next_step_utc TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            last_problem TEXT,
            needs_attention INTEGER NOT NULL DEFAULT 0 CHECK (needs_attention IN (0, 1))
        ) STRICT;
        CREATE INDEX runs_participant_session ON runs (participant_id, session_local);
        CREATE INDEX runs_participant ON runs (participant_id);
        CREATE INDEX runs_session ON runs (session_local);
        CREATE INDEX runs_state ON runs (state);
        CREATE INDEX runs_state_session ON runs (state, session_local);
        CREATE INDEX runs_state_completed ON runs (state, completed_utc) WHERE completed_utc IS NOT NULL;
        CREATE INDEX runs_recording ON runs (recording_id) WHERE recording_id IS NOT NULL;
        CREATE INDEX runs_repeats ON runs (repeats_run_id) WHERE repeats_run_id IS NOT NULL;
        CREATE INDEX runs_due ON runs (next_step_utc) WHERE next_step_utc IS NOT NULL;
        CREATE INDEX runs_attention ON runs (needs_attention) WHERE needs_attention = 1;
        CREATE INDEX runs_deletion ON runs (deletion_due_utc)
            WHERE deletion_due_utc IS NOT NULL AND purged_utc IS NULL;
        CREATE TABLE tags (
            run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            session_local TEXT NOT NULL,
            PRIMARY KEY (run_id, name)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX tags_name ON tags (name, run_id);
        CREATE INDEX tags_name_value ON tags (name, value, run_id);
        CREATE INDEX tags_name_value_session ON tags (name, value, session_local, run_id);
        CREATE TABLE results (
            run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            section INTEGER NOT NULL,
            start_s REAL NOT NULL,
            finish_s REAL NOT NULL,
            transcript TEXT,
            mental_strain REAL,
            distress REAL,
            stress REAL,
            exhaustion REAL,
            sleep_propensity REAL,
            low_self_esteem REAL,
            uniform_distress REAL,
            uniform_stress REAL,
            uniform_exhaustion REAL,
            uniform_sleep_propensity REAL,
            uniform_low_self_esteem REAL,
            PRIMARY KEY (run_id, section)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE answers (
            id INTEGER PRIMARY KEY,
            run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            operation TEXT NOT NULL CHECK (operation IN ('create', 'get')),
            received_utc TEXT NOT NULL,
            body TEXT NOT NULL
        ) STRICT;
        CREATE INDEX answers_run ON answers (run_id);
        CREATE TABLE run_events (
            id INTEGER PRIMARY KEY,
            run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            at_utc TEXT NOT NULL,
            state TEXT NOT NULL,
            detail TEXT
        ) STRICT;
        CREATE INDEX run_events_run ON run_events (run_id);
        CREATE TABLE waiting_recordings (
            recording_id TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
            participant_id INTEGER REFERENCES participants (id) ON DELETE SET NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TRIGGER recordings_wait AFTER INSERT ON recordings WHEN NEW.purged_utc IS NULL BEGIN
            INSERT INTO waiting_recordings (recording_id) VALUES (NEW.id);
        END;
        CREATE TRIGGER recordings_wait_again AFTER UPDATE OF purged_utc ON recordings
            WHEN OLD.purged_utc IS NOT NULL AND NEW.purged_utc IS NULL
            AND NOT EXISTS (SELECT 1 FROM runs WHERE recording_id = NEW.id AND purged_utc IS NULL) BEGIN
            INSERT INTO waiting_recordings (recording_id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
        END;
        CREATE TRIGGER recordings_purged AFTER UPDATE OF purged_utc ON recordings
            WHEN NEW.purged_utc IS NOT NULL BEGIN
            DELETE FROM waiting_recordings WHERE recording_id = NEW.id;
        END;
        CREATE TRIGGER recordings_submitted AFTER INSERT ON runs WHEN NEW.recording_id IS NOT NULL BEGIN
            DELETE FROM waiting_recordings WHERE recording_id = NEW.recording_id;
        END;
        CREATE TRIGGER recordings_submitted_later AFTER UPDATE OF recording_id ON runs
            WHEN NEW.recording_id IS NOT NULL BEGIN
            DELETE FROM waiting_recordings WHERE recording_id = NEW.recording_id;
        END;
        CREATE TABLE trend (
            participant_id INTEGER NOT NULL,
            session_local TEXT NOT NULL,
            run_id INTEGER NOT NULL,
            synthetic INTEGER NOT NULL,
            kind TEXT NOT NULL,
            state TEXT NOT NULL,
            failure TEXT,
            error_code TEXT,
            warnings TEXT,
            asleep_local TEXT,
            awake_local TEXT,
            recorded_local TEXT,
            language TEXT NOT NULL,
            accent TEXT,
            queued_utc TEXT NOT NULL,
            completed_utc TEXT,
            quality_override TEXT,
            tags TEXT NOT NULL,
            mental_strain REAL,
            distress REAL,
            stress REAL,
            exhaustion REAL,
            sleep_propensity REAL,
            low_self_esteem REAL,
            uniform_distress REAL,
            uniform_stress REAL,
            uniform_exhaustion REAL,
            uniform_sleep_propensity REAL,
            uniform_low_self_esteem REAL,
            source TEXT,
            duration_s REAL,
            speech_s REAL,
            level_dbfs REAL,
            peak_dbfs REAL,
            clipped_share REAL,
            snr_db REAL,
            bandwidth_hz REAL,
            missing_share REAL,
            PRIMARY KEY (participant_id, session_local, run_id)
        ) STRICT, WITHOUT ROWID;
        CREATE VIEW trend_source AS SELECT
            r.participant_id, r.session_local, r.id AS run_id, r.synthetic, r.kind, r.state, r.failure,
            r.error_code, r.warnings, r.asleep_local, r.awake_local, r.recorded_local, r.language, r.accent,
            r.queued_utc, r.completed_utc, r.quality_override,
            (SELECT json_group_object(t.name, t.value) FROM tags AS t WHERE t.run_id = r.id) AS tags,
            s.mental_strain, s.distress, s.stress, s.exhaustion, s.sleep_propensity, s.low_self_esteem,
            s.uniform_distress, s.uniform_stress, s.uniform_exhaustion, s.uniform_sleep_propensity,
            s.uniform_low_self_esteem,
            c.source, c.duration_s, c.speech_s, c.level_dbfs, c.peak_dbfs, c.clipped_share, c.snr_db,
            c.bandwidth_hz, c.missing_share
        FROM runs AS r LEFT JOIN results AS s ON s.run_id = r.id AND s.section = 0
            LEFT JOIN recordings AS c ON c.id = r.recording_id;
        -- An OR clause of the statement that fires a trigger takes the place of the trigger's own OR REPLACE:
        -- runs, tags, results and recordings are never written with one.
        CREATE TRIGGER trend_run_added AFTER INSERT ON runs BEGIN
            INSERT OR REPLACE INTO trend SELECT * FROM trend_source WHERE run_id = NEW.id;
        END;
        CREATE TRIGGER trend_run_changed AFTER UPDATE OF recording_id, synthetic, kind, state, failure, error_code,
            warnings, asleep_local, awake_local, recorded_local, language, accent, queued_utc, completed_utc,
            quality_override ON runs BEGIN
            INSERT OR REPLACE INTO trend SELECT * FROM trend_source WHERE run_id = NEW.id;
        END;
        CREATE TRIGGER trend_run_moved AFTER UPDATE OF participant_id, session_local ON runs BEGIN
            DELETE FROM trend WHERE participant_id = OLD.participant_id AND session_local = OLD.session_local
                AND run_id = OLD.id;
            UPDATE tags SET session_local = NEW.session_local WHERE run_id = NEW.id;
            INSERT OR REPLACE INTO trend SELECT * FROM trend_source WHERE run_id = NEW.id;
        END;
        CREATE TRIGGER trend_run_deleted AFTER DELETE ON runs BEGIN
            DELETE FROM trend WHERE participant_id = OLD.participant_id AND session_local = OLD.session_local
                AND run_id = OLD.id;
        END;
        CREATE TRIGGER trend_results_added AFTER INSERT ON results WHEN NEW.section = 0 BEGIN
            INSERT OR REPLACE INTO trend SELECT * FROM trend_source WHERE run_id = NEW.run_id;
        END;
        CREATE TRIGGER trend_results_changed AFTER UPDATE ON results WHEN NEW.section = 0 OR OLD.section = 0 BEGIN
            INSERT OR REPLACE INTO trend SELECT * FROM trend_source WHERE run_id IN (OLD.run_id, NEW.run_id);
        END;
        CREATE TRIGGER trend_results_deleted AFTER DELETE ON results WHEN OLD.section = 0 BEGIN
            INSERT OR REPLACE INTO trend SELECT * FROM trend_source WHERE run_id = OLD.run_id;
        END;
        CREATE TRIGGER trend_tags_added AFTER INSERT ON tags BEGIN
            INSERT OR REPLACE INTO trend SELECT * FROM trend_source WHERE run_id = NEW.run_id;
        END;
        CREATE TRIGGER trend_tags_changed AFTER UPDATE OF run_id, name, value ON tags BEGIN
            INSERT OR REPLACE INTO trend SELECT * FROM trend_source WHERE run_id IN (OLD.run_id, NEW.run_id);
        END;
        CREATE TRIGGER trend_tags_deleted AFTER DELETE ON tags BEGIN
            INSERT OR REPLACE INTO trend SELECT * FROM trend_source WHERE run_id = OLD.run_id;
        END;
        CREATE TRIGGER trend_recording_changed AFTER UPDATE OF source, duration_s, speech_s, level_dbfs, peak_dbfs,
            clipped_share, snr_db, bandwidth_hz, missing_share ON recordings BEGIN
            INSERT OR REPLACE INTO trend SELECT * FROM trend_source
                WHERE run_id IN (SELECT id FROM runs WHERE recording_id = NEW.id);
        END;
        CREATE TABLE worker (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            pid INTEGER,
            host TEXT,
            state TEXT NOT NULL,
            reason TEXT,
            detail TEXT,
            since_utc TEXT,
            heartbeat_utc TEXT,
            api_problem TEXT,
            api_problem_since_utc TEXT,
            api_reached_utc TEXT
        ) STRICT;
        INSERT INTO worker (id, state) VALUES (1, 'stopped');
        CREATE TABLE state_counts (
            state TEXT PRIMARY KEY,
            n INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE totals (
            name TEXT PRIMARY KEY,
            n INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO totals (name, n) VALUES ('attention', 0), ('participants', 0), ('recordings', 0);
        CREATE TRIGGER runs_counted AFTER INSERT ON runs BEGIN
            INSERT INTO state_counts (state, n) VALUES (NEW.state, 1)
                ON CONFLICT (state) DO UPDATE SET n = n + 1;
            UPDATE totals SET n = n + NEW.needs_attention WHERE name = 'attention' AND NEW.needs_attention = 1;
        END;
        CREATE TRIGGER runs_recounted AFTER UPDATE OF state ON runs WHEN NEW.state IS NOT OLD.state BEGIN
            UPDATE state_counts SET n = n - 1 WHERE state = OLD.state;
            INSERT INTO state_counts (state, n) VALUES (NEW.state, 1)
                ON CONFLICT (state) DO UPDATE SET n = n + 1;
        END;
        CREATE TRIGGER runs_attention_recounted AFTER UPDATE OF needs_attention ON runs
            WHEN NEW.needs_attention <> OLD.needs_attention BEGIN
            UPDATE totals SET n = n + NEW.needs_attention - OLD.needs_attention WHERE name = 'attention';
        END;
        CREATE TRIGGER runs_uncounted AFTER DELETE ON runs BEGIN
            UPDATE state_counts SET n = n - 1 WHERE state = OLD.state;
            UPDATE totals SET n = n - OLD.needs_attention WHERE name = 'attention' AND OLD.needs_attention = 1;
        END;
        CREATE TRIGGER participants_counted AFTER INSERT ON participants BEGIN
            UPDATE totals SET n = n + 1 WHERE name = 'participants';
        END;
        CREATE TRIGGER participants_uncounted AFTER DELETE ON participants BEGIN
            UPDATE totals SET n = n - 1 WHERE name = 'participants';
        END;
        CREATE TRIGGER recordings_counted AFTER INSERT ON recordings BEGIN
            UPDATE totals SET n = n + 1 WHERE name = 'recordings';
        END;
        CREATE TRIGGER recordings_uncounted AFTER DELETE ON recordings BEGIN
            UPDATE totals SET n = n - 1 WHERE name = 'recordings';
        END;
        """
    )


ALL = (m001_first_schema, m002_analysis)
NAMES = tuple(migration.__name__ for migration in ALL)


def collect_migrations() -> Migrations:
    """The migrations, oldest first, ready to apply."""
    from heliograph.store._sqlite_utils import Migrations

    migrations = Migrations(MIGRATION_SET)
    for migration in ALL:
        migrations()(migration)
    return migrations
