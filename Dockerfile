# One image for every Linewatch service; docker-compose.yml says which command each runs.
FROM python:3.11-slim-trixie AS build
WORKDIR /src
RUN python -m venv /opt/linewatch
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY linewatch linewatch
COPY producer producer
COPY workers workers
COPY console console
COPY outputs outputs
COPY training training
COPY vision vision
COPY model_store model_store
COPY db db
COPY quality quality
COPY migrations migrations
COPY products products
COPY docker-compose.yml ./
RUN /opt/linewatch/bin/pip install --no-cache-dir -c constraints.txt '.[worker,openvino,reports,console,outputs,s3]'

FROM python:3.11-slim-trixie AS runtime
# pg_dump and pg_restore of PostgreSQL 17, as docker-compose.yml has it, for `linewatch backup`.
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/linewatch linewatch \
 && install -d -o 10001 -g 10001 /var/lib/linewatch
COPY --from=build /opt/linewatch /opt/linewatch
ENV PATH=/opt/linewatch/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /var/lib/linewatch
VOLUME /var/lib/linewatch
ENTRYPOINT ["linewatch"]
CMD ["--help"]
