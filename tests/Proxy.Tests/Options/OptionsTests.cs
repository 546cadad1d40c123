using System.Text;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Proxy.Options;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KeyEvt.Proxy.Tests.Options;

/// <summary>Which value counts, and is every wrong one reported, once and without a secret?</summary>
public sealed class OptionsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keyevt-options-").FullName;
    private readonly Dictionary<string, string> _environment = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Without_anything_the_documented_defaults_hold()
    {
        var options = Load();
        Assert.Equal("127.0.0.1:6380", Assert.Single(options.Server.Listen).ToString());
        Assert.Equal(("127.0.0.1", 6379), (options.Forwarder.Upstream.Seeds[0].Host, options.Forwarder.Upstream.Seeds[0].Port));
        Assert.Equal("amqp://guest@127.0.0.1:5672/", options.Forwarder.Initial.Amqp.ToString());
        Assert.Equal("guest", options.Forwarder.Initial.Amqp.Password.Value);
        Assert.Equal(EventClass.Expired | EventClass.Evicted, options.Forwarder.Initial.Events);
        Assert.Equal((30, "amq.direct", "redis_keyspace_events", 1, 10_000_000L),
            (options.Forwarder.Initial.Amqp.HeartbeatSeconds, options.Forwarder.Initial.Exchange, options.Forwarder.Initial.RoutingKey, options.Forwarder.Initial.DeliveryMode, options.Forwarder.Initial.FallbackStorageSize));
        Assert.Empty(options.Forwarder.Initial.Masks.Masks);
        Assert.False(options.Forwarder.Initial.Masks.IsAll);
        Assert.Null(options.Forwarder.Initial.DeclareQueue);
        Assert.Equal(TransportAddress.Tcp("127.0.0.1", 6381), options.Admin.Address);
        Assert.Equal(NotifyMode.Manage, options.Forwarder.Feed.NotifyMode);
        Assert.Equal((TimeSpan.FromSeconds(5), 64L << 20, 1024, LogLevel.Information), (options.Server.Deadlines.Connect, options.Forwarder.Delivery.BufferBytes, options.Forwarder.Delivery.Window, options.LogLevel));
        Assert.Matches("^[0-9a-f]{8}$", options.Forwarder.Instance);
    }

    [Fact]
    public void The_command_line_wins_over_the_environment_and_the_environment_over_the_file()
    {
        var file = FileWith("config.json", """{ "exchange": "file", "routing-key": "file", "window": 7 }""");
        _environment["KEYEVT_EXCHANGE"] = "environment";
        _environment["KEYEVT_ROUTING_KEY"] = "environment";
        var options = Load("--config", file, "--exchange", "line");
        Assert.Equal(("line", "environment", 7), (options.Forwarder.Initial.Exchange, options.Forwarder.Initial.RoutingKey, options.Forwarder.Delivery.Window));
    }

    [Fact]
    public void Values_of_a_repeatable_option_come_from_one_source_only()
    {
        var file = FileWith("config.json", """{ "keymask": ["f1", "f2"], "listen": ["127.0.0.1:1", "127.0.0.1:2",], /* comments are fine */ }""");
        _environment["KEYEVT_KEYMASK"] = "e1, e2 e3";
        Assert.Equal(["e1", "e2", "e3"], Masks(Load("--config", file)));
        Assert.Equal(["l1"], Masks(Load("--config", file, "--keymask", "l1")));
        Assert.Equal(2, Load("--config", file).Server.Listen.Count);
    }

    [Fact]
    public void The_file_may_be_named_by_the_environment()
    {
        _environment["KEYEVT_CONFIG"] = FileWith("config.json", """{ "delivery-mode": 2, "amqp-hosts": "*" }""");
        var options = Load();
        Assert.Equal(2, options.Forwarder.Initial.DeliveryMode);
        Assert.Equal([AllowedBroker.Any], options.Forwarder.Initial.AmqpHosts);
    }

    [Fact]
    public void Blanks_and_commas_separate_values_in_the_environment_only()
    {
        Assert.Equal(["a, b"], Masks(Load("--keymask", "a, b")));
    }

    [Fact]
    public void An_empty_variable_counts_as_not_set()
    {
        _environment["KEYEVT_AMQP"] = "";
        Assert.Equal("127.0.0.1", Load().Forwarder.Initial.Amqp.Host);
    }

    [Fact]
    public void All_faults_are_reported_at_once_with_their_source()
    {
        var file = FileWith("config.json", """{ "window": "many", "exchanges": "x" }""");
        _environment["KEYEVT_DELIVERY_MODE"] = "3";
        _environment["KEYEVT_EXCHNAGE"] = "x";
        Assert.Equal(
            [
                "KEYEVT_EXCHNAGE is not an option: see keyevt --help",
                $"'exchanges' in {file} is not an option: see keyevt --help",
                "--heartbeat must be 0 to 65535, not '-1'",
                "KEYEVT_DELIVERY_MODE must be 1 to 2, not '3'",
                $"'window' in {file} must be 1 to 65535, not 'many'",
            ],
            Faults("--config", file, "--heartbeat", "-1"));
    }

    [Theory]
    [InlineData("--listen", "6380", "--listen must be host:port, rediss://host:port (TLS) or unix:/path, not '6380'")]
    [InlineData("--listen", "unix:relative", "--listen must be host:port, rediss://host:port (TLS) or unix:/path, not 'unix:relative'")]
    [InlineData("--admin", "on", "--admin must be host:port or unix:/path, not 'on', or off")]
    [InlineData("--listen", "rediss://h", "--listen must be rediss://host:port, not 'rediss://h'")]
    [InlineData("--upstream", "redis+sentinel://h", "--upstream is wrong: redis+sentinel:// ends with the name of the master, and nothing behind it: redis+sentinel://host:26379,host:26379/mymaster")]
    [InlineData("--upstream", "redis://h:6379/5", "--upstream is wrong: nothing may stand behind the port, not /5 either: each client chooses its database itself (SELECT), and events of all databases are forwarded; for those of one alone, write --rule 'db=5 mask=ALL' instead of --keymask ALL")]
    [InlineData("--upstream", "redis+cluster://", "--upstream is wrong: a Redis address needs a host")]
    [InlineData("--amqp", "http://h", "--amqp must begin with amqp:// or amqps://")]
    [InlineData("--events", "xq", "--events has a wrong flag: unknown event flag 'q': flags are g $ l s h z x e t d m n o c a, A for all but m n o c, and S T I V for the fields of hashes")]
    [InlineData("--delivery-mode", "0", "--delivery-mode must be 1 to 2, not '0'")]
    [InlineData("--fallback-storage-size", "lots", "--fallback-storage-size must be a whole number (0 unlimited, negative off), not 'lots'")]
    [InlineData("--keymask", "", "--keymask must not be empty: ALL matches every key")]
    [InlineData("--notify-config", "auto", "--notify-config must be one of manage, verify, off, not 'auto'")]
    [InlineData("--amqp-hosts", "a b", "--amqp-hosts must be host, host:port or * each, with an IPv6 address in brackets, not 'a b'")]
    [InlineData("--amqp-hosts", "::1", "--amqp-hosts must be host, host:port or * each, with an IPv6 address in brackets, not '::1'")]
    [InlineData("--amqp-hosts", "h:0", "--amqp-hosts must be host, host:port or * each, with an IPv6 address in brackets, not 'h:0'")]
    [InlineData("--instance", "a:b", "--instance must be 1 to 64 letters, digits, dots, dashes or underscores, not 'a:b'")]
    [InlineData("--connect-timeout", "0", "--connect-timeout must be 0.1 to 3600 seconds, not '0'")]
    [InlineData("--buffer-bytes", "64x", "--buffer-bytes must be a number of bytes with k, m or g behind it, 65536 to 68719476736, not '64x'")]
    [InlineData("--buffer-bytes", "9999999999g", "--buffer-bytes must be a number of bytes with k, m or g behind it, 65536 to 68719476736, not '9999999999g'")]
    [InlineData("--window", "0", "--window must be 1 to 65535, not '0'")]
    [InlineData("--merge-keyspace", "yes", "--merge-keyspace needs --upstream redis+cluster://")]
    [InlineData("--merge-keyspace", "maybe", "--merge-keyspace must be one of no, yes, not 'maybe'")]
    [InlineData("--log-level", "loud", "--log-level must be one of trace, debug, information, warning, error, critical, none, not 'loud'")]
    [InlineData("--declare-queue", "amq.mine", "--declare-queue must not begin with amq., which RabbitMQ keeps for itself: 'amq.mine'")]
    [InlineData("--amqp-password-file", "/nowhere/secret", "--amqp-password-file names the file '/nowhere/secret', which cannot be read: there is no such file")]
    [InlineData("--config", "/nowhere/file", "--config '/nowhere/file' cannot be read: there is no such file")]
    [InlineData("--loadmodule", "xe host 70000 user pass x", "--loadmodule port must be 1 to 65535, not '70000'", "--loadmodule heartbeat must be 0 to 65535, not 'x'")]
    [InlineData("--loadmodule", "xe \"host", "--loadmodule has a quote that does not end, or text directly behind a closing quote")]
    public void A_wrong_value_is_named_with_what_would_be_right(string option, string value, params string[] faults)
    {
        Assert.Equal(faults, Faults(option, value));
    }

    [Fact]
    public void Options_that_do_not_fit_together_are_faults()
    {
        Assert.Equal(["--listen names 127.0.0.1:1 twice"], Faults("--listen", "127.0.0.1:1", "--listen", "127.0.0.1:1"));
        Assert.Equal(["--admin and --listen are both 127.0.0.1:1: they need different addresses"], Faults("--listen", "127.0.0.1:1", "--admin", "127.0.0.1:1"));
        Assert.Equal(["--upstream and --listen are both 127.0.0.1:1: the proxy would connect to itself"], Faults("--listen", "127.0.0.1:1", "--upstream", "redis://127.0.0.1:1"));
        Assert.Contains("too large together", Assert.Single(Faults("--keymask", new string('a', 200_000), "--rule", "mask=" + new string('b', 100_000))), StringComparison.Ordinal);
        Assert.Empty(Faults("--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"));
        Assert.Empty(Faults("--merge-keyspace", "yes", "--upstream", "redis+cluster://127.0.0.1:7001"));
        Assert.Empty(Faults("--group", "orders", "--upstream", "redis+cluster://127.0.0.1:7001"));
        Assert.Empty(Faults("--group", "orders", "--upstream", "redis+sentinel://127.0.0.1:26379/mymaster"));
        Assert.Empty(Faults("--group-secret-file", FileWith("group", "a secret")));
    }

    [Theory]
    [InlineData("--amqpp", "amqp://u:canary@h")]
    [InlineData("--amqpp=amqp://u:canary@h")]
    [InlineData("canary")]
    [InlineData("--amqp", "amqp://u:canary%@h")]
    [InlineData("--amqp", "amqp://u:canary@")]
    [InlineData("--amqp", "amqp://u:ca/canary@h")]
    [InlineData("--amqp", "amqp://u:canary@h?heartbeat=5")]
    [InlineData("--amqp", "amqp://u:canary@h:x")]
    [InlineData("--amqp", "u:canary@h")]
    [InlineData("--upstream", "redis://u:canary@h:x")]
    [InlineData("--upstream", "u:canary@h")]
    [InlineData("--amqp", "amqp://u:canary@h", "--amqp", "amqp://u:canary@h")]
    [InlineData("--loadmodule", "xe h 0 u canary")]
    [InlineData("--loadmodule", "xe h 0 u \"canary")]
    [InlineData("--help", "canary")]
    public void No_fault_shows_a_password(params string[] args)
    {
        var faults = Faults(args);
        Assert.NotEmpty(faults);
        Assert.DoesNotContain(faults, fault => fault.Contains("canary", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_is_not_json_is_named_with_the_place_but_not_its_content()
    {
        var file = FileWith("config.json", "{ \"amqp\": canary }");
        Assert.Equal([$"--config '{file}' is not JSON: line 1, byte 11"], Faults("--config", file));
    }

    [Theory]
    [InlineData("""{ "window": true }""", "'window' in # must be a string or a number")]
    [InlineData("""{ "window": [1] }""", "'window' in # must be a string or a number")]
    [InlineData("""{ "keymask": [] }""", "'keymask' in # must be a string or a number, or an array of them that is not empty")]
    [InlineData("""{ "keymask": [{}] }""", "'keymask' in # must be a string or a number, or an array of them that is not empty")]
    [InlineData("""{ "window": 1, "window": 2 }""", "'window' in # is given twice")]
    [InlineData("""{ "config": "other" }""", "'config' in # is not an option: see keyevt --help")]
    [InlineData("""[]""", "--config '#' must hold one JSON object")]
    public void A_file_of_a_wrong_shape_is_refused(string json, string fault)
    {
        var file = FileWith("config.json", json);
        Assert.Equal([fault.Replace("#", file, StringComparison.Ordinal)], Faults("--config", file));
    }

    [Fact]
    public void Passwords_from_files_win_and_lose_only_their_line_end()
    {
        var options = Load("--amqp", "amqp://u:old@h", "--upstream", "redis://u:old@h",
            "--amqp-password-file", FileWith("amqp", " new \n"), "--upstream-password-file", FileWith("redis", "new\r\n"));
        Assert.Equal((" new ", "new", "u"), (options.Forwarder.Initial.Amqp.Password.Value, options.Forwarder.Upstream.Seeds[0].Password?.Value, options.Forwarder.Upstream.Login.User));
    }

    [Fact]
    public void An_empty_password_file_is_a_fault()
    {
        var file = FileWith("secret", "\n");
        Assert.Equal([$"--amqp-password-file names the file '{file}', which must hold a password or token: not empty, UTF-8, without a NUL"], Faults("--amqp-password-file", file));
    }

    [Fact]
    public void The_load_line_stands_in_for_defaults_and_named_options_win()
    {
        var options = Load("--loadmodule", "g$ broker 5673 user pass 20 ex rk 2 77 ^a b", "--exchange", "named");
        var forwarding = options.Forwarder.Initial;
        Assert.Equal(("broker", 5673, "user", "pass", 20), (forwarding.Amqp.Host, forwarding.Amqp.Port, forwarding.Amqp.User, forwarding.Amqp.Password.Value, forwarding.Amqp.HeartbeatSeconds));
        Assert.Equal(("named", "rk", 2, 77L), (forwarding.Exchange, forwarding.RoutingKey, forwarding.DeliveryMode, forwarding.FallbackStorageSize));
        Assert.Equal(EventClass.Generic | EventClass.String, forwarding.Events);
        Assert.Equal(["^a", "b"], Masks(options));
    }

    [Fact]
    public void The_order_of_options_does_not_matter()
    {
        var options = Load("--heartbeat", "7", "--amqp", "amqp://h", "--loadmodule", "xe other 1 u p 9");
        Assert.Equal(("h", 7), (options.Forwarder.Initial.Amqp.Host, options.Forwarder.Initial.Amqp.HeartbeatSeconds));
    }

    [Fact]
    public void The_broker_of_the_start_may_always_be_named_again()
    {
        var forwarding = Load("--amqp", "amqp://u:p@h:7", "--amqp-hosts", "other", "--amqp-hosts", "[::1]:5").Forwarder.Initial;
        Assert.Equal(["other", "[::1]:5", "h"], forwarding.AmqpHosts.Select(broker => broker.ToString()));
        Assert.Equal(forwarding.Amqp, forwarding.Configured);
    }

    [Theory]
    [InlineData("65536", 65536)]
    [InlineData("64k", 65536)]
    [InlineData("64KB", 65536)]
    [InlineData("3M", 3 << 20)]
    [InlineData("2g", 2L << 30)]
    public void Sizes_may_be_written_with_a_letter(string text, long bytes)
    {
        Assert.Equal(bytes, Load("--buffer-bytes", text).Forwarder.Delivery.BufferBytes);
    }

    [Theory]
    [InlineData("KEYEVT_SERVICE_HOST")]
    [InlineData("KEYEVT_SERVICE_PORT_REDIS")]
    [InlineData("KEYEVT_PORT")]
    [InlineData("KEYEVT_PORT_6380_TCP")]
    [InlineData("KEYEVT_PORT_6380_TCP_ADDR")]
    [InlineData("KEYEVT_ADMIN_SERVICE_PORT")]
    public void Variables_that_kubernetes_makes_for_a_service_are_passed_over(string name)
    {
        _environment[name] = "tcp://10.0.0.1:6380";
        Assert.Empty(Faults());
    }

    [Fact]
    public void Values_that_begin_with_a_dash_or_an_at_sign_are_values()
    {
        var options = Load("--fallback-storage-size", "-1", "--keymask", "@a", "--keymask=--listen");
        Assert.Equal(-1, options.Forwarder.Initial.FallbackStorageSize);
        Assert.Equal(["@a", "--listen"], Masks(options));
    }

    [Fact]
    public void No_text_of_the_options_shows_a_password()
    {
        var options = Load("--amqp", "amqp://u:canary@h", "--upstream", "redis://u:canary@h", "--amqp-password-file", FileWith("secret", "canary"));
        Assert.DoesNotContain("canary", $"{options} {options.Forwarder} {options.Logins} {options.Admin}");
    }

    [Fact]
    public void Every_option_is_declared_once_with_a_meaning_and_a_default_that_parses()
    {
        Assert.Equal(OptionTable.WithConfig.Count, OptionTable.WithConfig.Select(option => option.Name).Distinct().Count());
        Assert.All(OptionTable.WithConfig, option => Assert.NotEmpty(option.Meaning));
        Assert.NotNull(OptionPrecedence.Defaults());
    }

    private ProxyOptions Load(params string[] args)
    {
        var faults = new List<string>();
        var options = OptionPrecedence.Load(new CommandLineSource().Read(args, faults, out _, out _), _environment, faults);
        Assert.Empty(faults);
        return options;
    }

    private List<string> Faults(params string[] args)
    {
        var faults = new List<string>();
        OptionPrecedence.Load(new CommandLineSource().Read(args, faults, out _, out _), _environment, faults);
        return faults;
    }

    private static IEnumerable<string> Masks(ProxyOptions options) => options.Forwarder.Initial.Masks.Masks.Select(mask => Encoding.UTF8.GetString(mask.Bytes.Span));

    private string FileWith(string name, string content)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, content);
        return path;
    }
}
