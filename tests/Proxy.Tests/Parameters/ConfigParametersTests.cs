using System.Text;
using KeyEvt.Forwarder.Config;
using KeyEvt.Proxy.Parameters;
using Xunit;

namespace KeyEvt.Proxy.Tests.Parameters;

/// <summary>Do the positional parameters mean what the module's did, and is every wrong one named?</summary>
public sealed class ConfigParametersTests
{
    private static readonly ForwarderConfig Current = new()
    {
        Amqp = new AmqpSettings { Host = "broker", Port = 5672, User = "app", Password = "canary" },
        AmqpHosts = [new AllowedBroker("other"), new AllowedBroker("broker")],
        Configured = new AmqpSettings { Host = "broker", Port = 5673, User = "app", Password = "configured-canary" },
    };

    [Fact]
    public void No_parameters_change_nothing()
    {
        Assert.True(Apply(out var next, out _));
        Assert.Equal(Current, next);
    }

    [Fact]
    public void All_parameters_arrive_where_they_belong()
    {
        Assert.True(Apply(out var next, out _, "other", "5673", "user", "pass", "20", "ex", "rk", "2", "-1", "a", "^b$"));
        Assert.Equal(Current.Amqp with { Host = "other", Port = 5673, User = "user", Password = "pass", HeartbeatSeconds = 20 }, next.Amqp);
        Assert.Equal(("ex", "rk", 2, -1L), (next.Exchange, next.RoutingKey, next.DeliveryMode, next.FallbackStorageSize));
        Assert.Equal(["a", "^b$"], next.Masks.Masks.Select(m => Encoding.UTF8.GetString(m.Bytes.Span)));
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6), InlineData(7), InlineData(8), InlineData(9)]
    public void Any_prefix_of_the_list_may_be_given_and_the_rest_stays(int count)
    {
        string[] all = ["broker", "5673", "user", "pass", "20", "ex", "rk", "2", "7"];
        Assert.True(Apply(out var next, out _, all[..count]));
        Assert.Equal(count >= 2 ? 5673 : 5672, next.Amqp.Port);
        Assert.Equal(count switch { 1 => "canary", 2 => "configured-canary", 3 => "", _ => "pass" }, next.Amqp.Password.Value);
        Assert.Equal(count >= 9 ? 7 : 10_000_000, next.FallbackStorageSize);
        Assert.Equal(Current.Masks, next.Masks);
    }

    [Theory]
    [InlineData(0, "", "host must not be empty")]
    [InlineData(0, "a b", "host must be a name or an IP address, not 'a b'")]
    [InlineData(0, "a\r\nb", "host must be a name or an IP address, not 'a\\x0d\\x0ab'")]
    [InlineData(1, "0", "port must be 1 to 65535, not '0'")]
    [InlineData(1, "70000", "port must be 1 to 65535, not '70000'")]
    [InlineData(1, "abc", "port must be 1 to 65535, not 'abc'")]
    [InlineData(1, "", "port must be 1 to 65535, not ''")]
    [InlineData(1, "+5", "port must be 1 to 65535, not '+5'")]
    [InlineData(1, "5672\0", "port must be 1 to 65535, not '5672\\x00'")]
    [InlineData(1, "-", "port must be 1 to 65535, not '-'")]
    [InlineData(2, "", "username must not be empty")]
    [InlineData(2, "a\0b", "username must be UTF-8 text without a NUL")]
    [InlineData(4, "-1", "heartbeat must be 0 to 65535, not '-1'")]
    [InlineData(4, "65536", "heartbeat must be 0 to 65535, not '65536'")]
    [InlineData(7, "3", "delivery_mode must be 1 to 2, not '3'")]
    [InlineData(7, "0", "delivery_mode must be 1 to 2, not '0'")]
    [InlineData(8, "many", "fallback_storage_size must be a whole number (0 unlimited, negative off), not 'many'")]
    [InlineData(8, "99999999999999999999", "fallback_storage_size must be a whole number (0 unlimited, negative off), not '99999999999999999999'")]
    [InlineData(9, "", "keymask must not be empty: ALL matches every key")]
    public void A_wrong_value_is_named_with_its_range_and_nothing_changes(int index, string value, string error)
    {
        string[] args = ["broker", "5672", "user", "pass", "20", "ex", "rk", "2", "7", "ALL"];
        args[index] = value;
        Assert.False(Apply(out var next, out var actual, args));
        Assert.Equal(error, actual);
        Assert.Same(Current, next);
    }

    [Fact]
    public void Every_wrong_value_is_named_at_once()
    {
        Assert.False(Apply(out _, out var error, "", "0", "user", "pass", "x"));
        Assert.Equal("host must not be empty; port must be 1 to 65535, not '0'; heartbeat must be 0 to 65535, not 'x'", error);
    }

    [Fact]
    public void A_wrong_password_is_not_shown()
    {
        Assert.False(Apply(out _, out var error, "broker", "5672", "user", "canary2\0"));
        Assert.DoesNotContain("canary", error);
    }

    [Fact]
    public void Names_longer_than_an_amqp_short_string_are_refused()
    {
        Assert.False(Apply(out _, out var error, "broker", "5672", "user", "pass", "20", new string('é', 128), new string('k', 256)));
        Assert.Equal("exchange must have at most 255 bytes, not 256; routing_key must have at most 255 bytes, not 256", error);
    }

    [Fact]
    public void A_host_that_is_not_listed_is_refused()
    {
        Assert.False(Apply(out var next, out var error, "evil", "5672", "user", "pass"));
        Assert.Equal("broker 'evil:5672' is not allowed: name it in the option --amqp-hosts", error);
        Assert.Same(Current, next);
    }

    [Fact]
    public void A_star_allows_any_host()
    {
        Assert.True(ConfigParameters.TryApply(Bytes("anywhere"), Current with { AmqpHosts = [AllowedBroker.Any] }, out var next, out _));
        Assert.Equal("anywhere", next.Amqp.Host);
    }

    [Theory]
    [InlineData("other")]
    [InlineData("other", "5672", "user")]
    [InlineData("other", "5672", "app")]
    [InlineData("broker", "5671")]
    [InlineData("broker", "5672", "user")]
    [InlineData("broker", "5672", "APP")]
    public void Another_host_port_or_user_without_a_password_has_none(params string[] args)
    {
        Assert.True(Apply(out var next, out _, args));
        Assert.Equal("", next.Amqp.Password.Value);
        Assert.True(ConfigParameters.TryApply(Bytes(args[0], args.ElementAtOrDefault(1) ?? "5672", "app"), next, out var after, out _));
        Assert.Equal("", after.Amqp.Password.Value); // nor does a second command bring it back
    }

    [Fact]
    public void Another_virtual_host_or_none_of_the_TLS_there_was_is_another_login()
    {
        Assert.Equal("", Current.PasswordFor(Current.Amqp with { VirtualHost = "other" }).Value);
        Assert.Equal("", Current.PasswordFor(Current.Amqp with { Tls = true }).Value);
    }

    [Theory]
    [InlineData("BROKER")]
    [InlineData("broker", "5672")]
    [InlineData("broker", "5672", "app")]
    public void The_password_stays_when_the_login_does_whatever_the_case_of_the_host(params string[] args)
    {
        Assert.True(Apply(out var next, out _, args));
        Assert.Equal("canary", next.Amqp.Password.Value);
    }

    [Fact]
    public void The_configured_login_has_the_configured_password_after_any_detour()
    {
        Assert.True(Apply(out var next, out _, "other", "5672", "user", "pass"));
        Assert.True(ConfigParameters.TryApply(Bytes("broker", "5673", "app"), next with { AmqpHosts = [AllowedBroker.Any] }, out var back, out _));
        Assert.Equal("configured-canary", back.Amqp.Password.Value);
    }

    [Theory]
    [InlineData("other", 5672, true)]
    [InlineData("other", 5671, true)]
    [InlineData("other", 5673, true)] // the configured broker's
    [InlineData("other", 6379, false)]
    [InlineData("OTHER", 5672, true)]
    [InlineData("exact", 7000, true)]
    [InlineData("exact", 5672, false)]
    [InlineData("::1", 7001, true)]
    [InlineData("::1", 5672, false)]
    public void A_host_alone_stands_for_the_usual_ports_and_one_with_a_port_for_that(string host, int port, bool isAllowed)
    {
        var current = Current with { AmqpHosts = [new AllowedBroker("other"), new AllowedBroker("exact", 7000), new AllowedBroker("::1", 7001)] };
        Assert.Equal(isAllowed, ConfigParameters.TryApply(Bytes(host, $"{port}"), current, out _, out _));
    }

    [Fact]
    public void The_operators_own_load_line_may_name_any_host_and_takes_no_password_there()
    {
        var faults = new List<string>();
        Assert.Equal(Current.Amqp with { Host = "evil", Password = "" }, ConfigParameters.Parse(Bytes("evil"), faults).ApplyTo(Current).Amqp);
        Assert.Equal("guest", ConfigParameters.Parse(Bytes("h", "1"), faults).ApplyTo(new ForwarderConfig()).Amqp.Password.Value); // everybody knows it
        Assert.Equal("", ConfigParameters.Parse(Bytes("h", "1", "alice"), faults).ApplyTo(new ForwarderConfig()).Amqp.Password.Value);
        Assert.Empty(faults);
    }

    [Theory]
    [InlineData("[::1]", "::1")]
    [InlineData("::1", "::1")]
    [InlineData("rabbit_1.local-net", "rabbit_1.local-net")]
    public void Names_and_addresses_are_hosts(string given, string host)
    {
        Assert.True(ConfigParameters.TryApply(Bytes(given), Current with { AmqpHosts = [AllowedBroker.Any] }, out var next, out _));
        Assert.Equal(host, next.Amqp.Host);
    }

    private static bool Apply(out ForwarderConfig next, out string error, params string[] args) =>
        ConfigParameters.TryApply(Bytes(args), Current, out next, out error);

    private static ReadOnlyMemory<byte>[] Bytes(params string[] args) =>
        [.. args.Select(a => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(a))];
}
