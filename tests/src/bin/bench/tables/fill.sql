-- Rows for `bench tables`, in batches: `k` counts from :lo to :hi, of the number of rows that the comment before each
-- statement gives: for each student (`S`), class (`C`) or event (`E`).
--
-- The row number n of every table has the id :id(n), and belongs to the student (or, of what classes have, the class)
-- ((n - 1) % S) + 1. So one number gives parameters that fit together in every statement.

-- users: 1 S
INSERT INTO users (id, email, display_name, role, created_at)
SELECT id(k), 'student' || k || '@example.com', 'Student ' || k, CASE WHEN k <= :C THEN 'teacher' ELSE 'student' END,
       now() - interval '90 days'
FROM generate_series(:lo, :hi) AS k;

-- classes: 1 C
INSERT INTO classes (id, name, invite_code, created_at)
SELECT id(k), 'Class ' || k, 'code-' || k, now() - interval '90 days' FROM generate_series(:lo, :hi) AS k;

-- class_teachers: 1 C
INSERT INTO class_teachers (class_id, teacher_id, added_at)
SELECT id(k), id(k), now() - interval '90 days' FROM generate_series(:lo, :hi) AS k;

-- enrollments: 1 S
INSERT INTO enrollments (class_id, student_id, joined_at)
SELECT id((k - 1) % :C + 1), id(k), now() - interval '89 days' FROM generate_series(:lo, :hi) AS k;

-- assignments: 4 C
INSERT INTO assignments (id, class_id, topic_slug, due_at, created_at)
SELECT id(k), id((k - 1) % :C + 1), topic((k / :C)::int), now() + interval '3 days', now() - interval '9 days'
FROM generate_series(:lo, :hi) AS k;

-- class_invitations: 2 C
INSERT INTO class_invitations (id, class_id, email, name, invited_at)
SELECT id(k), id((k - 1) % :C + 1), 'invited' || k || '@example.com', 'Invited', now() - interval '9 days'
FROM generate_series(:lo, :hi) AS k;

-- progress: 25 S
INSERT INTO progress (student_id, topic_slug, exercises, quizzes, quality, consistency, score, evidence, known, due_on, updated_at)
SELECT id((k - 1) % :S + 1), topic((k - 1)::int / :S), k % 101, k % 97, k % 89, k % 83, k % 100, k % 30, k % 1000,
       current_date + (k % 30)::int - 10, now() - (k % 80) * interval '1 day'
FROM generate_series(:lo, :hi) AS k;

-- activities: 50 S
INSERT INTO activities (event_id, position, student_id, done_at, topic_slug, exercise_id, source_id, counts, kind)
SELECT id(k), 0, id((k - 1) % :S + 1), now() - (k / :S) * interval '17 hours', topic((k % 25)::int), exercise(k), id(k), k % 3 = 0,
       '{"version": 1, "kind": "submission", "difficulty": "easy", "score": 80, "passed": false, "quality": 70, "helped": false}'
FROM generate_series(:lo, :hi) AS k;

-- conversations: 2 S
INSERT INTO conversations (id, student_id, created_at)
SELECT id(k), id((k - 1) % :S + 1), now() - (k / :S + 1) * interval '9 days' FROM generate_series(:lo, :hi) AS k;

-- queries: 10 S
INSERT INTO queries (id, student_id, question, asked_at, agent, answered_by, answer, answered_at, conversation_id)
SELECT id(k), id((k - 1) % :S + 1), '{"version": 1, "question": "What is the difference between a list and a tuple?"}',
       now() - (k / :S) * interval '41 hours', 'concepts', 'offline',
       json_build_object('version', 1, 'content', repeat('A list can change. ', 20)), now() - (k / :S) * interval '41 hours',
       id((k - 1) % :S + 1)
FROM generate_series(:lo, :hi) AS k;

-- answer_reports: 1 C
INSERT INTO answer_reports (query_id, student_id, reason, reported_at)
SELECT id(k), id(k), 'wrong', now() - (k % 80) * interval '1 day' FROM generate_series(:lo, :hi) AS k;

-- executions: 10 S
INSERT INTO executions (id, student_id, request, verdict, error_type, result, duration_ms, created_at, finished_at)
SELECT id(k), id((k - 1) % :S + 1), '{"code": "for i in range(4):\n    print(names[i])"}',
       CASE WHEN k % 3 = 0 THEN 'error' ELSE 'ok' END, CASE WHEN k % 3 = 0 THEN 'IndexError' END,
       json_build_object('version', 1, 'stdout', repeat('x', 200)), 12, now() - (k / :S) * interval '37 hours', now()
FROM generate_series(:lo, :hi) AS k;

-- submissions: 10 S
INSERT INTO submissions (id, student_id, exercise_id, code, score, quality, submitted_at, passed, graded_at)
SELECT id(k), id((k - 1) % :S + 1), exercise(k), repeat('print(1)' || E'\n', 10), k % 101, k % 97,
       now() - (k / :S) * interval '31 hours', k % 2 = 0, now()
FROM generate_series(:lo, :hi) AS k;

-- exercise_sets: 3 S
INSERT INTO exercise_sets (student_id, exercise_id, set_at)
SELECT id((k - 1) % :S + 1), exercise(k), now() - interval '9 days' FROM generate_series(:lo, :hi) AS k
ON CONFLICT DO NOTHING;

-- quiz_attempts: 5 S
INSERT INTO quiz_attempts (id, student_id, topic_slug, seed, questions, question_count, started_at, submitted_at, score)
SELECT id(k), id((k - 1) % :S + 1), topic((k / :S)::int), k, json_build_object('version', 1, 'questions', repeat('q', 600)), 3,
       now() - (k / :S + 1) * interval '11 days',
       -- Some are still open.
       CASE WHEN k % 10 > 0 THEN now() - (k / :S + 1) * interval '11 days' END, CASE WHEN k % 10 > 0 THEN k % 101 END
FROM generate_series(:lo, :hi) AS k;

-- quiz_answers: 15 S
INSERT INTO quiz_answers (attempt_id, number, choice, answered_at)
SELECT id((k - 1) / 3 + 1), (k - 1) % 3 + 1, 1, now() FROM generate_series(:lo, :hi) AS k;

-- alerts: 3 S
INSERT INTO alerts (id, student_id, topic_slug, trigger, status, evidence, opened_at, severity, summary, updated_at)
SELECT id(k), id((k - 1) % :S + 1), topic((k / :S)::int), 'failed_runs', CASE WHEN k % 10 = 0 THEN 'open' ELSE 'resolved' END,
       '[{"text": "A run ended with IndexError.", "at": "2026-01-01T00:00:00Z"}]', now() - (k % 90) * interval '1 day', 'low',
       '5 failed runs in a row.', now()
FROM generate_series(:lo, :hi) AS k;

-- notifications: 3 S
INSERT INTO notifications (id, user_id, alert_id, student_id, classes, title, text, severity, is_shown, is_digest, created_at, updated_at)
SELECT id(k), id((k - 1) % :C + 1), id(k), id((k - 1) % :S + 1), ARRAY[id((k - 1) % :C + 1)], 'Needs help with Lists',
       '5 failed runs in a row.', 'low', true, false, now() - (k % 90) * interval '1 day', now() - (k % 90) * interval '1 day'
FROM generate_series(:lo, :hi) AS k;

-- subscriptions: 1 C
INSERT INTO subscriptions (id, user_id, channel, target, classes, min_severity, secret, created_at)
SELECT id(k), id(k), 'webhook', 'https://example.com/hook', '{}', 'low', 'whsec_x', now() FROM generate_series(:lo, :hi) AS k;

-- notification_settings: 1 C
INSERT INTO notification_settings (user_id, digest_at) SELECT id(k), 420 FROM generate_series(:lo, :hi) AS k;

-- notification_deliveries: 3 S
INSERT INTO notification_deliveries (id, subscription_id, notification_id, title, text, severity, status, attempts, created_at, finished_at)
SELECT id(k), id((k - 1) % :C + 1), id(k), 'Needs help with Lists', '5 failed runs in a row.', 'low', 'delivered', 1,
       now() - (k % 80) * interval '1 day', now()
FROM generate_series(:lo, :hi) AS k;

-- hint_ladders: 5 S
INSERT INTO hint_ladders (student_id, problem, rung, attempt, given_at, day_began_at, given)
SELECT id((k - 1) % :S + 1), hash(k), 1, hash(k), now() - (k % 90) * interval '1 day', now(), 1
FROM generate_series(:lo, :hi) AS k;

-- drafts: 1 C
INSERT INTO drafts (id, query_id, student_id, agent, body, deadline_at, created_at)
SELECT id(k), id(k), id(k), 'debug', '{}', now() + interval '9 minutes', now() FROM generate_series(:lo, :hi) AS k;

-- erased_requests: 1 C
INSERT INTO erased_requests (id, erased_at) SELECT id(k), now() - k * interval '10 minutes' FROM generate_series(:lo, :hi) AS k;

-- socket_tickets: 1 C
INSERT INTO socket_tickets (ticket_hash, user_id, role, external, ends_at, expires_at)
SELECT hash(k), id(k), 'teacher', false, now() + interval '1 hour', now() + interval '30 seconds'
FROM generate_series(:lo, :hi) AS k;

-- refresh_tokens: 3 S
INSERT INTO refresh_tokens (token_hash, family_id, user_id, issued_at, expires_at)
SELECT hash(k), id(k), id((k - 1) % :S + 1), now(), now() + (k % 7) * interval '1 day' FROM generate_series(:lo, :hi) AS k;

-- idempotency_keys: 2 S
INSERT INTO idempotency_keys (operation, owner, key, request_hash, resource_id, created_at)
SELECT 'query', id((k - 1) % :S + 1)::text, 'key-' || k, hash(k), id(k), now() - (k % 40) * interval '1 hour'
FROM generate_series(:lo, :hi) AS k;

-- model_usage: 5 S
INSERT INTO model_usage (id, student_id, agent, model, tokens_in, tokens_out, cost_micro_usd, latency_ms, cached, created_at)
SELECT id(k), id((k - 1) % :S + 1), 'concepts', 'gpt-4.1-mini', 100, 100, 200, 900, false,
       now() - (k / :S) * interval '13 hours' - (k % 780) * interval '1 minute'
FROM generate_series(:lo, :hi) AS k;

-- model_days: 1 C
INSERT INTO model_days
SELECT date_trunc('day', now(), 'UTC') - k / 5 * interval '1 day', 'agent' || k % 5, 'gpt-4.1-mini', 9, 1, 0, 900, 900, 1800,
       date_bin('10 minutes', now(), 'epoch') - interval '20 minutes' - k / 5 * interval '1 day'
FROM generate_series(:lo, :hi) AS k;

-- inbox: 25 S
INSERT INTO inbox (function, event_id, received_at)
SELECT 'progress', id(k), now() - (k % 14) * interval '1 day' FROM generate_series(:lo, :hi) AS k;

-- socket_positions: 1 S
INSERT INTO socket_positions (user_id, last) SELECT id(k), 5 FROM generate_series(:lo, :hi) AS k;

-- socket_messages: 5 S
INSERT INTO socket_messages (user_id, position, event_id, found_at)
SELECT id((k - 1) % :S + 1), (k - 1) / :S + 1, id(k), now() - (k % 2) * interval '20 hours'
FROM generate_series(:lo, :hi) AS k;

-- account_changes: 1 C
INSERT INTO account_changes (id, user_id, change, changed_at)
SELECT id(k), id(k), 'teacher', now() - (k % 80) * interval '1 day' FROM generate_series(:lo, :hi) AS k;

-- exports: 1 S
INSERT INTO exports (id, user_id, requested_at, finished_at, archive)
SELECT id(k), id(k), now() - (k % 7) * interval '1 day', now(), ''::bytea FROM generate_series(:lo, :hi) AS k;

-- rate_limits: 1 S
INSERT INTO rate_limits (bucket, window_start, hits)
SELECT 'user ' || k, now() - (k % 60) * interval '1 second', 1 FROM generate_series(:lo, :hi) AS k;

-- connections: 1 C
INSERT INTO connections (id, user_id, role, external, channel, position, looked_at, is_place_unknown, opened_at, ends_at,
                         closes_at, active_at, due_at)
SELECT 'connection-' || k, id(k), 'teacher', false, 'alerts', 1, now(), false, now(), now() + interval '1 hour',
       now() + interval '2 hours', now(), now() + interval '10 minutes'
FROM generate_series(:lo, :hi) AS k;

-- events: 1 E
INSERT INTO events (id, topic, partition_key, type, source, subject, correlation_id, causation_id, traceparent, data, occurred_at,
                    published_at, lease_until)
SELECT id(k), names.topic, id((k - 1) % :S + 1)::text, names.type, 'learnflow/demo', id((k - 1) % :S + 1), id((k - 1) / 5 + 1),
       id(k - 1), NULL, '{"student_id": "0", "activity": {"type": "code_run", "verdict": "ok", "duration_ms": 12}}',
       now() - (:E - k) * (interval '90 days' / :E), now(), now()
FROM generate_series(:lo, :hi) AS k,
     LATERAL (SELECT (ARRAY['learning.requests', 'concepts.requests', 'learning.responses', 'progress.events', 'code.results'])[k % 5 + 1] AS topic,
                     (ARRAY['question.asked.v1', 'question.routed.v1', 'question.answered.v1', 'activity.recorded.v1', 'execution.finished.v1'])[k % 5 + 1] AS type) AS names;

-- dead letters: 1 C
INSERT INTO events (id, topic, partition_key, type, source, correlation_id, data, occurred_at, published_at, lease_until)
SELECT id(:E + k), 'dead.letters', 'key', 'message.dead_lettered.v1', 'learnflow/demo', id(k), '{"function": "triage"}',
       now() - (k % 80) * interval '1 day', now(), now()
FROM generate_series(:lo, :hi) AS k;
