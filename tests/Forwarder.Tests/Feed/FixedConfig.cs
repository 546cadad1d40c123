using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>A configuration that all members have from the beginning, and that never changes. Notes what it is given.</summary>
internal sealed class FixedConfig : IGroupConfig
{
    public bool IsLoaded { get; set; } = true;

    public bool IsFound { get; set; }

    public long Version { get; set; } = 1;

    public EventClass Classes { get; set; } = EventClass.All;

    public EventClass FormerClasses { get; set; } = EventClass.All;

    public List<string> Told { get; } = [];

    public void Begin() => Told.Add("begin");

    public void Take(GroupMessage.Config config)
    {
        Told.Add($"take {config.Text}");
        Version = config.Version;
    }

    public void Prepare(EventClass classes) => Told.Add($"prepare {classes}");

    public void Asked(GroupMessage.Ask ask) => Told.Add($"asked {ask.What}");

    public void Answered(GroupMessage.Answer answer) => Told.Add($"answered {answer.Code}");

    public void Joined() => Told.Add("joined");
}
