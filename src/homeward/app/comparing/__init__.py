"""`homeward compare`: the same prompts to several backends, and what came of it as a table and a page.

    opening   what there is to compare, and the way to ask it
    prompts   what is asked
    measure   asks it, one request at a time
    figures   numbers per backend, and as words
    matrix    the decision matrix: criteria against backends
    page      the same as one HTML file, with charts
    html, charts, machine   what the page is made of

The texts of questions and answers stay out of the results.
"""
