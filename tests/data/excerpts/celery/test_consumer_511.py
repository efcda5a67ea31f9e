def test_start_raises_connection_error(self,
                                       broker_connection_retry_on_startup,
                                       is_connection_loss_on_startup,
                                       caplog, subtests):
    c = self.get_consumer()
    c.first_connection_attempt = True if is_connection_loss_on_startup else False
    c.app.conf['broker_connection_retry'] = False
    c.app.conf['broker_connection_retry_on_startup'] = broker_connection_retry_on_startup
    c.blueprint.start.side_effect = ConnectionError()

    with subtests.test("Consumer raises WorkerShutdown on connection restart"):
        with pytest.raises(WorkerShutdown):
            c.start()

    record = caplog.records[0]
    with subtests.test("Critical error log message is outputted to the screen"):
        assert record.levelname == "CRITICAL"
        action = "establish" if is_connection_loss_on_startup else "re-establish"
        expected_prefix = f"Retrying to {action}"
        assert record.msg.startswith(expected_prefix)
        conn_type_name = c._get_connection_retry_type(
            is_connection_loss_on_startup
        )
        expected_connection_retry_type = f"app.conf.{conn_type_name}=False"
        assert expected_connection_retry_type in record.msg
