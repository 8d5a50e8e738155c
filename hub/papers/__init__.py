"""Print-outs: one small model of a document, and how it becomes DOCX, PDF and XLSX."""
