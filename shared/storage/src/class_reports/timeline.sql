-- The latest of each kind by its index, then the latest of all.
SELECT kind AS "kind!", id AS "id!", at AS "at!", question, name, detail, topic, exercise, score, passed
FROM ((SELECT 'question' AS kind, id, asked_at AS at, question::text AS question, agent AS name, NULL AS detail,
              NULL AS topic, NULL::uuid AS exercise, NULL::smallint AS score, NULL::boolean AS passed
       FROM queries WHERE student_id = $1 AND (asked_at, id) < ($2, $3) ORDER BY asked_at DESC, id DESC LIMIT $4)
      UNION ALL
      (SELECT 'run', id, created_at, NULL, verdict, error_type, NULL, NULL, NULL, NULL
       FROM executions WHERE student_id = $1 AND (created_at, id) < ($2, $3)
       ORDER BY created_at DESC, id DESC LIMIT $4)
      UNION ALL
      (SELECT 'submission', submissions.id, submitted_at, NULL, title, NULL, topic_slug, exercise_id, score, passed
       FROM submissions JOIN exercises ON exercises.id = exercise_id
       WHERE student_id = $1 AND (submitted_at, submissions.id) < ($2, $3)
       ORDER BY submitted_at DESC, submissions.id DESC LIMIT $4)
      UNION ALL
      (SELECT 'alert', id, opened_at, NULL, trigger, status, topic_slug, NULL, NULL, NULL
       FROM alerts WHERE student_id = $1 AND (opened_at, id) < ($2, $3)
       ORDER BY opened_at DESC, id DESC LIMIT $4)) AS latest
ORDER BY at DESC, id DESC LIMIT $4
