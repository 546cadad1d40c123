using KeyEvt.Forwarder.Agreement;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Delivery;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tests.Delivery;
using KeyEvt.Forwarder.Tests.Feed;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Agreement;

/// <summary>One member, "m-1", with what shares its configuration, in a stream that a test plays. Nothing comes back by itself unless the stream does that.</summary>
internal sealed class AgreementRig : IGroupVoice
{
    private long _number = 100;

    public AgreementRig(ForwarderConfig? options = null, MemoryConfigStore? store = null, SecretBox? secrets = null, bool hasStore = true)
    {
        Options = options ?? new ForwarderConfig { Masks = KeyMaskSet.All };
        Store = store ?? new MemoryConfigStore();
        Current = new CurrentConfig(Options);
        var delivery = new DeliveryRig().Loop;
        Delivery = delivery;
        Outlet = new ConfigOutlet(Current, Wanted.Add, delivery, Time);
        InForce = new ConfigInForce(Options, "m", secrets, new MessageSeal(null), Outlet, ConfigFaults.Of, Log);
        var preparation = new ClassPreparation(this, InForce, Time);
        var kept = hasStore ? Store : null;
        Changes = new ConfigChange(InForce, kept, this, preparation, Time);
        Answers = new HolderAnswers(this, () => Connecting is { } connecting ? connecting() : Task.FromResult(Connected), Time, new BackgroundTasks(Log));
        Agreement = new ConfigAgreement(InForce, kept, this, preparation, Changes, Answers, Outlet, Time, Log);
    }

    public bool IsHeldBack { get; set; }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public RecordingLogger Log { get; } = new();

    public string LogText => string.Join('\n', Log.Lines);

    public ForwarderConfig Options { get; }

    public MemoryConfigStore Store { get; }

    public CurrentConfig Current { get; }

    public List<EventClass> Wanted { get; } = [];

    public DeliveryLoop Delivery { get; }

    public ConfigOutlet Outlet { get; }

    public ConfigInForce InForce { get; }

    public ConfigChange Changes { get; }

    public HolderAnswers Answers { get; }

    public ConfigAgreement Agreement { get; }

    public ConnectResult Connected { get; set; } = new(0, "connected");

    /// <summary>What the holder does when it is asked to connect; null: it is <see cref="Connected"/>.</summary>
    public Func<Task<ConnectResult>>? Connecting { get; set; }

    /// <summary>What this member has said.</summary>
    public List<GroupMessage> Said { get; } = [];

    /// <summary>Whether what it says comes back and has its effect, as in a stream.</summary>
    public bool ComesBack { get; set; } = true;

    /// <summary>The version in force in the stream; null: the state is not known.</summary>
    public long? ConfigVersion { get; set; }

    public bool IsHolder { get; set; } = true;

    public List<Peer> Peers { get; } = [new("m-1", 0, 0, default(StreamPlace), true, EventClass.All)];

    public IReadOnlyList<StreamGroupStatus> Streams =>
        ConfigVersion is { } version ? [new StreamGroupStatus { IsKnown = true, IsHolder = IsHolder, Holder = IsHolder ? "m-1" : "x-1", ConfigVersion = version, Peers = [.. Peers] }] : [];

    public IReadOnlyList<MessageId> Say(Func<string, long, GroupMessage> message)
    {
        var said = message("m-1", ++_number);
        Said.Add(said);
        if (ComesBack) Hear(said);
        return [said.Id];
    }

    public IReadOnlyList<MessageId> SayToMasters(Func<string, long, GroupMessage> message) => Say(message);

    public Task WaitSubscribedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A message comes in the stream, as GroupMonitor reads it.</summary>
    public void Hear(GroupMessage message)
    {
        switch (message)
        {
            case GroupMessage.Config config:
                if (config.Version > ConfigVersion && (config.Follows ?? ConfigVersion) == ConfigVersion) ConfigVersion = config.Version;
                if (config.Version == ConfigVersion && config.Version != InForce.Value.Version) Agreement.Take(config);
                break;
            case GroupMessage.Prepare prepare:
                Agreement.Prepare(prepare.Classes);
                break;
            case GroupMessage.Ask ask when IsHolder:
                Agreement.Asked(ask);
                break;
            case GroupMessage.Answer answer:
                Agreement.Answered(answer);
                break;
        }
    }

    /// <summary>This member begins the group with its options, as with a fresh claim.</summary>
    public async Task BeginAsync()
    {
        _ = Agreement.RunAsync(CancellationToken.None);
        await UntilAsync(() => Agreement.IsLoaded);
        Agreement.Begin();
        await UntilAsync(() => InForce.Value.Version != 0);
        ConfigVersion = InForce.Value.Version;
        Said.Clear();
    }

    /// <summary>Lets virtual time pass until the task has ended.</summary>
    public async Task<T> PassAsync<T>(Task<T> task)
    {
        await UntilAsync(() => task.IsCompleted);
        return await task;
    }

    public async Task UntilAsync(Func<bool> condition)
    {
        for (var step = 0; step < 4000 && !condition(); step++)
        {
            Time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Delay(step < 50 ? 0 : 1, TestContext.Current.CancellationToken);
        }

        Assert.True(condition());
    }

    /// <summary>Lets so much virtual time pass.</summary>
    public async Task PassAsync(double seconds)
    {
        for (var step = 0; step < seconds * 20; step++)
        {
            Time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }
}
