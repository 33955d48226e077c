-- Gives the roles that log in a password, from the environment. \getenv is known to psql 15 and newer.
\getenv writer LOG_WRITER_PASSWORD
\getenv reader LOG_READER_PASSWORD
ALTER ROLE log_writer PASSWORD :'writer';
ALTER ROLE log_reader PASSWORD :'reader';
