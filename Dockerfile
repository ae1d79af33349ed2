# Producer and consumer in one image; the command says which: docker run tailwater producer start --help
FROM node:20-slim
WORKDIR /app
COPY . .
# Installs exactly what package-lock.json says, and builds: `npm ci` runs the script `prepare`.
RUN npm ci && npm cache clean --force
# The programs themselves, not npx: a signal to stop must reach the process that drains.
ENV PATH=/app/node_modules/.bin:$PATH
USER node
CMD ["producer", "--help"]
