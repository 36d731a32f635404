@load ./main
@load ./conn-service
@load ./mail-session
@load ./smtp
@load ./pop3
@load ./imap
@load ./publish
