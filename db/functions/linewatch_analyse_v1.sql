-- Count what partitioned tables hold, as the planner wants to know it. PostgreSQL does so by itself for
-- their partitions alone; without, a part's pictures are looked for in every month. Only the tables'
-- owner may, and maintenance is not the owner.
CREATE FUNCTION linewatch_analyse() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '5s' AS $$
BEGIN
  ANALYZE inspections, inspection_scores, features;
END $$
