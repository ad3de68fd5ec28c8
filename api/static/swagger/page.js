// Shows our own document. The validator badge would ask a foreign server, so it is off.
window.addEventListener("DOMContentLoaded", () => {
  SwaggerUIBundle({ url: "/schema/openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null });
});
