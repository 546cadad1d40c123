using KeyEvt.Proxy.Options;
var faults=new List<string>();
var given=new CommandLineSource().Read(args,faults,out var command,out var answer);
if(answer is not null) return answer.Invoke();
foreach(var f in faults) Console.WriteLine("F "+f);
Console.WriteLine(command); foreach(var (k,v) in given) Console.WriteLine(k+" "+string.Join("|",v.Values));
faults.Clear();
Console.WriteLine(OptionLoader.Load(given,[],faults)); foreach(var f in faults) Console.WriteLine("F "+f);
return 0;
