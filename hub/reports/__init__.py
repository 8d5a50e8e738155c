"""周小结, 月分析, 季排名, 年考核: what each report says, counted in the database, shown as page, XLSX, DOCX and PDF."""
