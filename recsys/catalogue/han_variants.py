"""Han characters that are one in everyday writing: Japanese, traditional, simplified and old forms.

Each group begins with the form of Japan, which stands for the others. Only forms of one character are
together, so that two spellings of a name meet (臺灣大學 and 台湾大学) and two names stay two. Sources: the
Joyo kanji table of 2010 with its traditional forms; China's General List of Simplified Characters of 1986.
"""

from typing import Final

_GROUPS: Final = """
台臺 国國圀 学學斈 会會 広廣广 沢澤泽 浜濱滨 辺邊邉边 斎齋斋 斉齊齐 高髙 崎﨑嵜 島嶋嶌岛 桜櫻樱
竜龍龙 図圖图 電电 銀银 医醫 専專专 区區 県縣县 業业 産產产 車车 東东 気氣气 発發发 関關关
場场塲 務务 団團团 実實实 験驗验 検檢检 経經经 済濟济 総總总 応應应 労勞劳 協协 組组 約约 紙纸
線线 網网 練练 結结 績绩 続續续 継繼继 給给 統统 術术 芸藝艺 蔵藏 薬藥药 蘭兰 両兩两 並并
乗乘 亜亞亚 仏佛 価價价 個个 偉伟 優优 児兒儿 党黨 円圓圆 写寫 処處处 剣劍剑 動动 勧勸劝
単單单 厳嚴严 双雙 収收 号號 営營营 囲圍围 塩鹽盐 変變变 売賣卖 声聲 宝寶 宮宫 対對对 層层
峡峽 帯帶带 帰歸归 庁廳厅 庫库 張张 弾彈弹 従從从 徳德 恵惠 愛爱 戦戰战 択擇择 担擔 拠據 捜搜
掲揭 揺搖摇 撃擊击 数數 断斷 旧舊 時时 書书 条條 来來 栄榮荣 楽樂乐 様樣样 機机 権權权 欧歐
歩步 歯齒齿 歳歲岁 残殘 毎每 浅淺 涼凉 湾灣 満滿满 漢汉 無无 焼燒烧 爾尔 独獨 獣獸兽 現现
環环 画畫 異异 畳疊 療疗 礎础 礼禮 禅禪 称稱 筆笔 節节 糸絲丝 細细 紅红 純纯 紀纪 緑綠绿
縦縱纵 織织 聖圣 聴聽听 脳腦脑 脈脉 臨临 舗鋪铺 華华 蓮莲 蛍螢萤 複复 見见 規规 視视 覚覺觉
親亲 観觀观 訳譯译 設设 証證证 評评 試试 詩诗 話话 認认 語语 誠诚 説說说 読讀读 課课 調调
談谈 論论 謝谢 識识 護护 貝贝 負负 財财 貨货 販贩 質质 贈赠 軍军 軽輕轻 転轉转 輸输 辞辭
農农 連连 進进 運运 過过 達达 違违 遠远 適适 選选 遺遗 郷鄉乡 郵邮 酔醉 醸釀酿 釈釋释 裏裡
鉄鐵铁 鉱鑛礦矿 銭錢钱 鋼钢 録錄录 鎮鎭镇 長长 門门 開开 間间 陽阳 険險险 隣鄰邻 難难 雑雜杂
霊靈灵 静靜 韓韩 頂顶 項项 須须 預预 領领 頭头 頻频 題题 顔顏颜 願愿 類类 風风 飛飞 飯饭
飲饮 館馆 馬马 駅驛驿 駆驅驱 騎骑 魚鱼 鮮鲜 鳥鸟 鶏雞鸡 麦麥 黄黃 黒黑 点點 齢齡龄 亀龜龟
戯戲戏 呉吳吴 岩巖 峰峯 滝瀧 橋桥 渋澁涩 壌壤 曽曾 真眞 瀬瀨 聡聰聪 陳陈 鄭郑 劉刘 蒋蔣 週周
晩晚 請请 誰谁 誕诞 諾诺 謙谦 貴贵 賞赏 資资 賢贤 購购 鉛铅 銅铜 錦锦 鍵键 鐘钟 閉闭 閣阁
響响 頃顷 顧顾 飾饰 養养 駐驻 麗丽 師师 帳帐 幣币 庄莊 廈厦 徴徵 憲宪 戸戶户 掃扫 揚扬 換换
損损 擁拥 摂攝摄 敵敌 暦曆历 楊杨 極极 構构 横橫 檔档 殺杀 氷冰 決决 沖冲 温溫 漁渔 潔洁
灯燈 為爲为 煙烟 奨獎奖 瑪玛 畢毕 当當 盗盜 監监 盤盘 確确 種种 積积 穏穩稳 競竞 範范 簡简
糧粮 絡络 維维 緊紧 編编 縁緣缘 縮缩 繊纖纤 罷罢 羅罗 義义 習习 聯联 員员 別别 碼码 態态
興兴 備备 訊讯 職职 粛肅肃 脱脫 胆膽 臓臟脏 挙舉举 蘇苏 虚虛 虫蟲
"""


def _table() -> dict[int, str]:
    found: dict[int, str] = {}
    for group in _GROUPS.split():
        first = found.get(ord(group[0]), group[0])
        found |= {ord(one): first for one in group[1:] if one != first}
    return found


HAN_VARIANTS: Final = _table()
"""What `str.translate` takes: the code of each form that is another's variant, and that other."""
