# One image for every Linewatch service; docker-compose.yml says which command each runs.
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/linewatch
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY linewatch linewatch
COPY producer producer
COPY workers workers
COPY vision vision
COPY model_store model_store
COPY db db
COPY migrations migrations
COPY products products
RUN /opt/linewatch/bin/pip install --no-cache-dir -c constraints.txt '.[worker]'

FROM python:3.11-slim AS runtime
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/linewatch linewatch \
 && install -d -o 10001 -g 10001 /var/lib/linewatch
COPY --from=build /opt/linewatch /opt/linewatch
ENV PATH=/opt/linewatch/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /var/lib/linewatch
VOLUME /var/lib/linewatch
ENTRYPOINT ["linewatch"]
CMD ["--help"]
