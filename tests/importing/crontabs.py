"""Three crontabs with what those of real projects have in them, written anew."""

SHOP = r"""
# m h dom mon dow command
SHELL=/bin/bash
MAILTO=ops@example.org
PATH=/usr/local/bin:/usr/bin:/bin

# the nightly copy of the shop
30 2 * * * cd /srv/shop && ./backup.sh --keep 7 >> /var/log/backup.log 2>&1
*/10 * * * * /usr/bin/python3 /srv/shop/manage.py sync_orders
15 */6 * * * /usr/bin/python3 /srv/shop/manage.py refresh_rates
0 9 1-7 * sun /srv/shop/report --month "last month"
@reboot /srv/shop/warm-cache
@daily /usr/bin/find /srv/shop/tmp -mtime +7 -delete
0 4 13 * fri pg_dump shop > /backup/shop-$(date +\%F).sql
0 5 * * * mail -s report root%hello%
"""

SYSTEM = r"""
# /etc/crontab
17 *  * * *  root  cd / && run-parts --report /etc/cron.hourly
25 6  * * *  root  test -x /usr/sbin/anacron || run-parts --report /etc/cron.daily
47 6  * * 7  root  run-parts --report /etc/cron.weekly
52 6  1 * *  root  run-parts --report /etc/cron.monthly
09,39 * * * *  www-data  [ -x /usr/lib/php/sessionclean ] && /usr/lib/php/sessionclean
"""

FORUM = r"""
CRON_TZ=America/New_York
0 0 */2 * mon /opt/forum/bin/digest
5 1-3,23 * jan-mar,oct-dec tue-thu FORUM_ENV=prod /opt/forum/bin/prune
0-59/20 2 * * sun /opt/forum/bin/reindex
5/15 * * * * /opt/forum/bin/poll
0 12 * * mon-fri /opt/forum/bin/lunch
0 12 * * mon-fri /opt/forum/bin/lunch
@hourly /opt/forum/bin/mail
61 * * * * /opt/forum/bin/never
"""
