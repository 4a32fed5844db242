"""Networks: each reads what patrons wrote there. Knows settings, network, model and errors only.

feed, webhook, wordpress, email, bluesky, mastodon    one file a network: its Source and its entry point
feed_entries  webhook_payload                         what they hand over as mentions
wordpress_site  wordpress_comments  wordpress_late  wordpress_replies
email_options  email_mailbox  email_fetched  email_cursor  email_letter  email_words
email_sent  email_replies  email_smtp
bluesky_session  bluesky_posts  bluesky_reading  bluesky_looks  bluesky_replies  bluesky_facets
mastodon_account  mastodon_statuses  mastodon_looks  mastodon_replies
download  api  payload  plain_text  answering         what they share: fetching, cleaning, answering
"""
