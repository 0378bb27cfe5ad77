PRAGMA application_id = 1214606441;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'heliograph','m001_first_schema','2026-11-22 02:54:34.028029+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'heliograph','m002_analysis','2026-11-22 05:20:33.931605+00:00');
CREATE TABLE answers (
            id INTEGER PRIMARY KEY,
            run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            operation TEXT NOT NULL CHECK (operation IN ('create', 'get')),
            received_utc TEXT NOT NULL,
            body TEXT NOT NULL
        ) STRICT;
CREATE TABLE cohort (
            participant_id INTEGER NOT NULL,
            day INTEGER NOT NULL,
            run_id INTEGER NOT NULL,
            minute INTEGER NOT NULL,
            mental_strain REAL,
            uniform_distress REAL,
            uniform_stress REAL,
            uniform_exhaustion REAL,
            uniform_sleep_propensity REAL,
            uniform_low_self_esteem REAL,
            distress INTEGER,
            stress INTEGER,
            exhaustion INTEGER,
            sleep_propensity INTEGER,
            low_self_esteem INTEGER,
            sleep_h REAL,
            hours_awake REAL,
            mid_sleep_h REAL,
            age INTEGER,
            birth_sex TEXT NOT NULL,
            language TEXT NOT NULL,
            tags TEXT NOT NULL,
            ratings TEXT NOT NULL,
            PRIMARY KEY (participant_id, day, run_id)
        ) STRICT, WITHOUT ROWID;
CREATE TABLE flags (
            participant_id INTEGER NOT NULL REFERENCES participants (id) ON DELETE CASCADE,
            column_name TEXT NOT NULL,
            chart TEXT NOT NULL CHECK (chart IN ('ewma', 'cusum')),
            run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            session_local TEXT NOT NULL,
            direction TEXT NOT NULL CHECK (direction IN ('up', 'down')),
            value REAL NOT NULL,
            limit_value REAL NOT NULL,
            n_baseline INTEGER NOT NULL,
            found_utc TEXT NOT NULL,
            dismissed_utc TEXT,
            dismissed_note TEXT,
            PRIMARY KEY (participant_id, column_name, chart, run_id)
        ) STRICT, WITHOUT ROWID;
CREATE TABLE flags_due (
            participant_id INTEGER PRIMARY KEY REFERENCES participants (id) ON DELETE CASCADE,
            version INTEGER NOT NULL
        ) STRICT;
CREATE TABLE participant_words (
            word TEXT NOT NULL,
            participant_id INTEGER NOT NULL REFERENCES participants (id) ON DELETE CASCADE,
            PRIMARY KEY (word, participant_id)
        ) STRICT, WITHOUT ROWID;
INSERT INTO "participant_words" VALUES('shipped',1);
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
INSERT INTO "participants" VALUES(1,'shipped','1980-01-01','FEMALE','en-GB',NULL,'2026-11-22T02:54:34.052Z','2026-11-22T02:54:34.052Z');
CREATE TABLE questionnaires (
            id INTEGER PRIMARY KEY,
            participant_id INTEGER NOT NULL REFERENCES participants (id) ON DELETE CASCADE,
            answered_local TEXT NOT NULL,
            instrument TEXT NOT NULL,
            score REAL NOT NULL,
            source TEXT NOT NULL,
            imported_utc TEXT NOT NULL,
            UNIQUE (participant_id, answered_local, instrument)
        ) STRICT;
CREATE TABLE ratings (
            run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            scale TEXT NOT NULL,
            value REAL NOT NULL,
            PRIMARY KEY (run_id, scale)
        ) STRICT, WITHOUT ROWID;
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
CREATE TABLE run_events (
            id INTEGER PRIMARY KEY,
            run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            at_utc TEXT NOT NULL,
            state TEXT NOT NULL,
            detail TEXT
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
CREATE TABLE settings (
            key TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
CREATE TABLE state_counts (
            state TEXT PRIMARY KEY,
            n INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
CREATE TABLE study_events (
            id INTEGER PRIMARY KEY,
            participant_id INTEGER REFERENCES participants (id) ON DELETE CASCADE,
            on_local TEXT NOT NULL,
            kind TEXT NOT NULL,
            note TEXT NOT NULL,
            created_utc TEXT NOT NULL
        ) STRICT;
CREATE TABLE tags (
            run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            session_local TEXT NOT NULL,
            PRIMARY KEY (run_id, name)
        ) STRICT, WITHOUT ROWID;
CREATE TABLE totals (
            name TEXT PRIMARY KEY,
            n INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
INSERT INTO "totals" VALUES('attention',0);
INSERT INTO "totals" VALUES('open_flags',0);
INSERT INTO "totals" VALUES('participants',1);
INSERT INTO "totals" VALUES('recordings',0);
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
            processing TEXT,
            sample_rate_hz INTEGER,
            date_of_birth TEXT NOT NULL,
            birth_sex TEXT NOT NULL,
            ratings TEXT NOT NULL,
            PRIMARY KEY (participant_id, session_local, run_id)
        ) STRICT, WITHOUT ROWID;
CREATE TABLE waiting_recordings (
            recording_id TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
            participant_id INTEGER REFERENCES participants (id) ON DELETE SET NULL
        ) STRICT, WITHOUT ROWID;
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
INSERT INTO "worker" VALUES(1,NULL,NULL,'stopped',NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE workspace (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            name TEXT NOT NULL,
            synthetic INTEGER NOT NULL CHECK (synthetic IN (0, 1)),
            created_utc TEXT NOT NULL
        ) STRICT;
INSERT INTO "workspace" VALUES(1,'sandbox',1,'2026-11-22T02:54:34.028Z');
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX participants_updated ON participants (updated_utc);
CREATE INDEX participant_words_participant ON participant_words (participant_id);
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
CREATE INDEX tags_name ON tags (name, run_id);
CREATE INDEX tags_name_value ON tags (name, value, run_id);
CREATE INDEX tags_name_value_session ON tags (name, value, session_local, run_id);
CREATE INDEX answers_run ON answers (run_id);
CREATE INDEX run_events_run ON run_events (run_id);
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
CREATE INDEX ratings_scale ON ratings (scale, run_id);
CREATE INDEX questionnaires_instrument ON questionnaires (instrument, participant_id);
CREATE INDEX questionnaires_source ON questionnaires (source);
CREATE INDEX study_events_participant ON study_events (participant_id, on_local);
CREATE INDEX study_events_kind ON study_events (kind);
CREATE INDEX flags_run ON flags (run_id);
CREATE INDEX flags_open ON flags (session_local, run_id) WHERE dismissed_utc IS NULL;
CREATE TRIGGER flags_counted AFTER INSERT ON flags WHEN NEW.dismissed_utc IS NULL BEGIN
            UPDATE totals SET n = n + 1 WHERE name = 'open_flags';
        END;
CREATE TRIGGER flags_recounted AFTER UPDATE OF dismissed_utc ON flags BEGIN
            UPDATE totals SET n = n + (NEW.dismissed_utc IS NULL) - (OLD.dismissed_utc IS NULL)
                WHERE name = 'open_flags';
        END;
CREATE TRIGGER flags_uncounted AFTER DELETE ON flags WHEN OLD.dismissed_utc IS NULL BEGIN
            UPDATE totals SET n = n - 1 WHERE name = 'open_flags';
        END;
CREATE VIEW trend_source AS SELECT
            r.participant_id, r.session_local, r.id AS run_id, r.synthetic, r.kind, r.state, r.failure,
            r.error_code, r.warnings, r.asleep_local, r.awake_local, r.recorded_local, r.language, r.accent,
            r.queued_utc, r.completed_utc, r.quality_override,
            (SELECT json_group_object(t.name, t.value) FROM tags AS t WHERE t.run_id = r.id) AS tags,
            s.mental_strain, s.distress, s.stress, s.exhaustion, s.sleep_propensity, s.low_self_esteem,
            s.uniform_distress, s.uniform_stress, s.uniform_exhaustion, s.uniform_sleep_propensity,
            s.uniform_low_self_esteem,
            c.source, c.duration_s, c.speech_s, c.level_dbfs, c.peak_dbfs, c.clipped_share, c.snr_db,
            c.bandwidth_hz, c.missing_share, c.processing, c.sample_rate_hz, r.date_of_birth, r.birth_sex,
            (SELECT json_group_object(q.scale, q.value) FROM ratings AS q WHERE q.run_id = r.id) AS ratings
        FROM runs AS r LEFT JOIN results AS s ON s.run_id = r.id AND s.section = 0
            LEFT JOIN recordings AS c ON c.id = r.recording_id;
CREATE TRIGGER trend_run_added AFTER INSERT ON runs BEGIN
            INSERT OR REPLACE INTO trend SELECT * FROM trend_source WHERE run_id = NEW.id;
        END;
CREATE TRIGGER trend_run_changed AFTER UPDATE OF recording_id, synthetic, kind, state, failure, error_code,
            warnings, asleep_local, awake_local, recorded_local, language, accent, queued_utc, completed_utc,
            quality_override, date_of_birth, birth_sex ON runs BEGIN
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
CREATE TRIGGER trend_ratings_added AFTER INSERT ON ratings BEGIN
            INSERT OR REPLACE INTO trend SELECT * FROM trend_source WHERE run_id = NEW.run_id;
        END;
CREATE TRIGGER trend_ratings_changed AFTER UPDATE ON ratings BEGIN
            INSERT OR REPLACE INTO trend SELECT * FROM trend_source WHERE run_id IN (OLD.run_id, NEW.run_id);
        END;
CREATE TRIGGER trend_ratings_deleted AFTER DELETE ON ratings BEGIN
            INSERT OR REPLACE INTO trend SELECT * FROM trend_source WHERE run_id = OLD.run_id;
        END;
CREATE TRIGGER trend_recording_changed AFTER UPDATE OF source, duration_s, speech_s, level_dbfs, peak_dbfs,
            clipped_share, snr_db, bandwidth_hz, missing_share, processing, sample_rate_hz ON recordings BEGIN
            INSERT OR REPLACE INTO trend SELECT * FROM trend_source
                WHERE run_id IN (SELECT id FROM runs WHERE recording_id = NEW.id);
        END;
CREATE VIEW cohort_source AS SELECT
            participant_id, CAST(strftime('%s', date(session_local)) AS INTEGER) / 86400 AS day, run_id,
            CAST(strftime('%H', session_local) AS INTEGER) * 60 + CAST(strftime('%M', session_local) AS INTEGER)
                AS minute,
            mental_strain, uniform_distress, uniform_stress, uniform_exhaustion, uniform_sleep_propensity,
            uniform_low_self_esteem,
            CAST(round(distress * 3) AS INTEGER) AS distress, CAST(round(stress * 3) AS INTEGER) AS stress,
            CAST(round(exhaustion * 3) AS INTEGER) AS exhaustion,
            CAST(round(sleep_propensity * 3) AS INTEGER) AS sleep_propensity,
            CAST(round(low_self_esteem * 3) AS INTEGER) AS low_self_esteem,
            CASE WHEN awake_local > asleep_local
                THEN (strftime('%s', awake_local) - strftime('%s', asleep_local)) / 3600.0 END AS sleep_h,
            CASE WHEN session_local >= awake_local
                THEN (strftime('%s', session_local) - strftime('%s', awake_local)) / 3600.0 END AS hours_awake,
            CASE WHEN awake_local > asleep_local
                THEN (strftime('%s', asleep_local) + strftime('%s', awake_local)
                    - 2 * strftime('%s', date(awake_local))) / 7200.0 END AS mid_sleep_h,
            CAST(substr(session_local, 1, 4) AS INTEGER) - CAST(substr(date_of_birth, 1, 4) AS INTEGER)
                - (substr(session_local, 6, 5) < substr(date_of_birth, 6, 5)) AS age,
            birth_sex, language, tags, ratings, session_local
        FROM trend
        WHERE state = 'complete_ok' AND strftime('%s', session_local) IS NOT NULL
            AND coalesce(mental_strain, distress, stress, exhaustion, sleep_propensity, low_self_esteem,
                uniform_distress, uniform_stress, uniform_exhaustion, uniform_sleep_propensity,
                uniform_low_self_esteem) IS NOT NULL;
CREATE TRIGGER cohort_trend_added AFTER INSERT ON trend BEGIN
            DELETE FROM cohort WHERE participant_id = NEW.participant_id
                AND day = CAST(strftime('%s', date(NEW.session_local)) AS INTEGER) / 86400 AND run_id = NEW.run_id;
            INSERT INTO cohort SELECT
                participant_id, day, run_id, minute, mental_strain, uniform_distress, uniform_stress,
                uniform_exhaustion, uniform_sleep_propensity, uniform_low_self_esteem, distress, stress,
                exhaustion, sleep_propensity, low_self_esteem, sleep_h, hours_awake, mid_sleep_h, age, birth_sex,
                language, tags, ratings
            FROM cohort_source WHERE participant_id = NEW.participant_id AND session_local = NEW.session_local
                AND run_id = NEW.run_id;
        END;
CREATE TRIGGER cohort_trend_deleted AFTER DELETE ON trend BEGIN
            DELETE FROM cohort WHERE participant_id = OLD.participant_id
                AND day = CAST(strftime('%s', date(OLD.session_local)) AS INTEGER) / 86400 AND run_id = OLD.run_id;
        END;
CREATE TRIGGER flags_due_result_added AFTER INSERT ON cohort BEGIN
            DELETE FROM flags_due WHERE participant_id = NEW.participant_id;
            INSERT INTO flags_due (participant_id, version) VALUES (NEW.participant_id, random());
        END;
CREATE TRIGGER flags_due_result_deleted AFTER DELETE ON cohort BEGIN
            DELETE FROM flags_due WHERE participant_id = OLD.participant_id;
            INSERT INTO flags_due (participant_id, version) VALUES (OLD.participant_id, random());
        END;
DELETE FROM "sqlite_sequence";
COMMIT;
