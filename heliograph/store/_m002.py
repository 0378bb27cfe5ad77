"""The second migration: what the analysis of a study needs. Frozen like every one that has shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database


def m002_analysis(db: Database) -> None:
    """Ratings, questionnaires, events and flags; the trend with the facts that tell whether two runs can be
    compared; and, kept by triggers, the narrow table that cohorts are computed from and the participants whose
    flags are to be found anew."""
    db.executescript(
        """
        CREATE TABLE ratings (
            run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            scale TEXT NOT NULL,
            value REAL NOT NULL,
            PRIMARY KEY (run_id, scale)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX ratings_scale ON ratings (scale, run_id);
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
        CREATE INDEX questionnaires_instrument ON questionnaires (instrument, participant_id);
        CREATE INDEX questionnaires_source ON questionnaires (source);
        CREATE TABLE study_events (
            id INTEGER PRIMARY KEY,
            participant_id INTEGER REFERENCES participants (id) ON DELETE CASCADE,
            on_local TEXT NOT NULL,
            kind TEXT NOT NULL,
            note TEXT NOT NULL,
            created_utc TEXT NOT NULL
        ) STRICT;
        CREATE INDEX study_events_participant ON study_events (participant_id, on_local);
        CREATE INDEX study_events_kind ON study_events (kind);
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
        CREATE INDEX flags_run ON flags (run_id);
        CREATE INDEX flags_open ON flags (session_local, run_id) WHERE dismissed_utc IS NULL;
        INSERT INTO totals (name, n) VALUES ('open_flags', 0);
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
        CREATE TABLE flags_due (
            participant_id INTEGER PRIMARY KEY REFERENCES participants (id) ON DELETE CASCADE,
            version INTEGER NOT NULL
        ) STRICT;

        DROP TRIGGER trend_run_added;
        DROP TRIGGER trend_run_changed;
        DROP TRIGGER trend_run_moved;
        DROP TRIGGER trend_run_deleted;
        DROP TRIGGER trend_results_added;
        DROP TRIGGER trend_results_changed;
        DROP TRIGGER trend_results_deleted;
        DROP TRIGGER trend_tags_added;
        DROP TRIGGER trend_tags_changed;
        DROP TRIGGER trend_tags_deleted;
        DROP TRIGGER trend_recording_changed;
        DROP VIEW trend_source;
        ALTER TABLE trend RENAME TO trend_m001;
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
        INSERT INTO trend
            SELECT t.*, c.processing, c.sample_rate_hz, r.date_of_birth, r.birth_sex, '{}'
            FROM trend_m001 AS t CROSS JOIN runs AS r ON r.id = t.run_id
                LEFT JOIN recordings AS c ON c.id = r.recording_id
            ORDER BY t.participant_id, t.session_local, t.run_id;
        DROP TABLE trend_m001;
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
        -- An OR clause of the statement that fires a trigger takes the place of the trigger's own OR REPLACE:
        -- runs, tags, ratings, results and recordings are never written with one.
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
        -- A row that REPLACE takes away fires no trigger: what was there goes first.
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
        INSERT INTO cohort SELECT
            participant_id, day, run_id, minute, mental_strain, uniform_distress, uniform_stress,
            uniform_exhaustion, uniform_sleep_propensity, uniform_low_self_esteem, distress, stress, exhaustion,
            sleep_propensity, low_self_esteem, sleep_h, hours_awake, mid_sleep_h, age, birth_sex, language, tags,
            ratings
        FROM cohort_source;
        INSERT INTO flags_due SELECT participant_id, random() FROM cohort GROUP BY participant_id;
        CREATE TRIGGER flags_due_result_added AFTER INSERT ON cohort BEGIN
            DELETE FROM flags_due WHERE participant_id = NEW.participant_id;
            INSERT INTO flags_due (participant_id, version) VALUES (NEW.participant_id, random());
        END;
        CREATE TRIGGER flags_due_result_deleted AFTER DELETE ON cohort BEGIN
            DELETE FROM flags_due WHERE participant_id = OLD.participant_id;
            INSERT INTO flags_due (participant_id, version) VALUES (OLD.participant_id, random());
        END;
        """
    )
